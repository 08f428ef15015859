import { chmodSync, chownSync } from 'node:fs'
import { copyFile } from 'node:fs/promises'
import type { ContentStore } from '#content'
import { EngineError, invalidArgument } from '#errors'
import { requestUrl } from '#images'
import type { UrlRequest, UrlResponse } from '#images'
import type { Files } from '#kernel'
import { withoutLogin } from '#lib'
import { hexOf } from '#oci'
import type { Digest } from '#oci'
import { digestOfData } from '../../graph/digest.ts'
import type { HttpSource } from '../../graph/types.ts'
import type { SourceResolver, Step } from '../../types.ts'
import type { LayerBuilder } from '../layer-builder.ts'
import { downloadName } from './file-name.ts'

export interface HttpSourceDeps {
  content: Pick<ContentStore, 'has' | 'ingest' | 'path'>
  layers: LayerBuilder
  files: Pick<Files, 'setTimes'>
  /** See `UrlRequest`. */
  proxies: Readonly<Record<string, string>>
}

/** What a server has said of an address. */
interface Download {
  digest: Digest
  /** Its Content-Disposition. */
  disposition: string | undefined
  /** Milliseconds since the epoch; undefined: it did not say. */
  lastModified: number | undefined
  /** Empty: none. */
  etag: string
}

/** Addresses that are remembered. */
const MOST = 256
/** Bytes of one file. */
const LARGEST = 64 * 1024 ** 3
const DEFAULT_MODE = 0o600
/** Addresses of what the client itself offers: contexts from its standard input. */
const CLIENT_HOST = 'buildkit-session'

/**
 * Files by URL. What an address has is known by its content: with a checksum without asking, else it is downloaded, or the server says by its ETag that it has not
 * changed. Source: moby/buildkit source/http.
 */
export function createHttpSource(deps: HttpSourceDeps): SourceResolver<HttpSource> {
  /** By address and login; the one that was asked for longest ago comes first. */
  const remembered = new Map<string, Download>()

  function remember(source: HttpSource, download: Download): void {
    const key = addressKey(source)
    remembered.delete(key)
    remembered.set(key, download)
    for (const oldest of remembered.keys()) if (remembered.size > MOST) remembered.delete(oldest)
  }

  async function request(
    { url }: HttpSource,
    { signal }: Step,
    options: Pick<UrlRequest, 'method' | 'headers'>,
    authorization: string | undefined,
  ): Promise<UrlResponse> {
    return await requestUrl(new URL(url), {
      ...options,
      proxies: deps.proxies,
      signal,
      ...(authorization !== undefined && { authorization }),
    })
  }

  /** Asks whether the file is still the one that is remembered. */
  async function revalidate(source: HttpSource, step: Step, authorization: string | undefined): Promise<Download | undefined> {
    const known = remembered.get(addressKey(source))
    if (known === undefined || known.etag === '') return undefined
    const headers = { 'if-none-match': known.etag }
    const { status, headers: answer, body } = await request(source, step, { method: 'HEAD', headers }, authorization)
    await drop(body)
    const isSame = status === 304 || (status === 200 && strong(answer.etag ?? '') === strong(known.etag))
    return isSame ? known : undefined
  }

  async function download(source: HttpSource, step: Step, authorization: string | undefined): Promise<Download> {
    const { status, headers, body, size } = await request(source, step, {}, authorization)
    if (status < 200 || status >= 300) {
      await drop(body)
      throw new EngineError(status === 404 ? 'NOT_FOUND' : 'UNAVAILABLE', `invalid response status ${status}`)
    }
    const { digest } = await deps.content.ingest(counted(body, size, step), { lease: step.lease, signal: step.signal })
    const time = Date.parse(headers['last-modified'] ?? '')
    const found = {
      digest,
      disposition: headers['content-disposition'],
      lastModified: Number.isNaN(time) ? undefined : time,
      etag: headers.etag ?? '',
    }
    remember(source, found)
    return found
  }

  async function fromClient(source: HttpSource, step: Step): Promise<Download> {
    const body = (await step.session.upload(new URL(source.url))) as AsyncIterable<Buffer>
    const { digest } = await deps.content.ingest(counted(body, undefined, step), { lease: step.lease, signal: step.signal })
    const found = { digest, disposition: undefined, lastModified: undefined, etag: '' }
    remember(source, found)
    return found
  }

  /** `mayKnow`: what is remembered will do, if the server agrees. */
  async function find(source: HttpSource, step: Step, { mayKnow }: { mayKnow: boolean }): Promise<Download> {
    const url = parseUrl(source.url)
    if (url.protocol === 'http:' && url.hostname === CLIENT_HOST) return await fromClient(source, step)
    const authorization = await authorizationFor(source, url, step)
    const known = mayKnow ? await revalidate(source, step, authorization) : undefined
    return known ?? (await download(source, step, authorization))
  }

  return {
    async identify(source, step) {
      const found: Pick<Download, 'digest' | 'disposition' | 'lastModified'> =
        source.checksum === undefined
          ? await find(source, step, { mayKnow: true })
          : { digest: source.checksum, disposition: undefined, lastModified: undefined }
      const { digest, lastModified } = found
      const filename = nameOf(source, found)
      const { mode = DEFAULT_MODE, uid, gid } = source
      return {
        key: digestOfData({ digest, filename, lastModified, mode, uid, gid }),
        pinned: { ...source, checksum: digest, filename },
        material: { uri: withoutLogin(source.url), digest: { sha256: hexOf(digest) } },
      }
    },

    async fetch(source, step) {
      const known = remembered.get(addressKey(source))
      const isHere = known !== undefined && known.digest === source.checksum && deps.content.has(known.digest)
      const found = isHere ? known : await find(source, step, { mayKnow: false })
      const { digest, lastModified = 0 } = found
      if (source.checksum !== undefined && digest !== source.checksum) {
        throw invalidArgument(`digest mismatch for ${withoutLogin(source.url)}: ${digest} (expected: ${source.checksum})`)
      }
      step.lease.hold(digest)
      return await deps.layers.build(step.lease, async (fd) => {
        const path = `/proc/self/fd/${fd}/${nameOf(source, found)}`
        await copyFile(deps.content.path(digest), path)
        chownSync(path, source.uid, source.gid)
        chmodSync(path, source.mode ?? DEFAULT_MODE)
        const time = BigInt(lastModified) * 1_000_000n
        deps.files.setTimes(path, time, time)
      })
    },
  }
}

/** By the secret that the source names, else by the ones for its host, where the client has them. */
async function authorizationFor({ authHeaderSecret }: HttpSource, { hostname }: URL, { session }: Step): Promise<string | undefined> {
  const secret = async (id: string): Promise<string | undefined> => {
    const value = await session.secret(id)
    return value && Buffer.from(value).toString().trim()
  }
  if (authHeaderSecret !== '') {
    const value = await secret(authHeaderSecret)
    if (value === undefined) throw new EngineError('NOT_FOUND', `failed to retrieve HTTP auth secret ${authHeaderSecret}: not found`)
    return value
  }
  const token = await secret(`HTTP_AUTH_TOKEN_${hostname}`)
  return token === undefined ? await secret(`HTTP_AUTH_HEADER_${hostname}`) : `Bearer ${token}`
}

async function* counted(body: AsyncIterable<Buffer>, total: number | undefined, step: Step): AsyncGenerator<Buffer, void, void> {
  const tell = (done: boolean): void => step.status('downloading', { current, ...(total !== undefined && { total }), done })
  let current = 0
  let last = performance.now()
  for await (const chunk of body) {
    current += chunk.length
    if (current > LARGEST) throw invalidArgument(`the file is larger than ${LARGEST} bytes`)
    yield chunk
    if (performance.now() - last < 100) continue
    last = performance.now()
    tell(false)
  }
  tell(true)
}

/** Other logins may see something else. */
function addressKey({ url, authHeaderSecret }: HttpSource): string {
  return `${authHeaderSecret}\0${url}`
}

function nameOf({ url, filename }: HttpSource, { disposition }: Pick<Download, 'disposition'>): string {
  return downloadName(parseUrl(url), filename, disposition)
}

/** Without the mark that it is weak. Source: RFC 9110 §8.8.3.2. */
function strong(etag: string): string {
  return etag.replace(/^W\//, '')
}

async function drop(body: AsyncIterable<Buffer>): Promise<void> {
  // Leaving the loop gives the connection up.
  for await (const _ of body) break
}

function parseUrl(text: string): URL {
  const url = URL.parse(text)
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) throw invalidArgument(`invalid URL ${JSON.stringify(text)}`)
  return url
}
