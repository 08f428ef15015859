import { invalidArgument } from '#errors'
import type { EngineError } from '#errors'
import { backoff, isTransient } from '../session/backoff.ts'
import { sendFollowing } from '../session/redirects.ts'
import { RegistryError, registryError } from '../session/registry-error.ts'
import { anySignal, checkCancelled, pause } from '../transport/cancel.ts'
import type { HttpResponse } from '../transport/http-transport.ts'
import { NetworkError } from '../transport/network-error.ts'
import { isOnLoopback } from '../transport/no-proxy.ts'
import type { FetchBlobOptions, RemoteRepository } from '../types.ts'
import { repositoryScope } from './repository-context.ts'
import type { RepositoryContext } from './repository-context.ts'

type BlobDescriptor = Parameters<RemoteRepository['fetchBlob']>[0]

/** One place that has a blob. */
interface BlobSource {
  get(headers: Record<string, string>): Promise<HttpResponse>
  /** It does not answer, and there are others. */
  broken(): void
}

const STRANGERS_TLS = { skipVerify: false, ca: [], clients: [] }
const MAX_URLS = 16
/** Source: image-spec v1.1 layer.md, "Non-Distributable Layers"; Docker's own type is older. */
const FOREIGN_LAYER = /^application\/vnd\.(?:docker\.image\.rootfs\.foreign\.|oci\.image\.layer\.nondistributable\.)/

/** See `RemoteRepository.fetchBlob`. */
export async function* fetchBlob(
  context: RepositoryContext,
  descriptor: BlobDescriptor,
  options: FetchBlobOptions,
): AsyncGenerator<Buffer, void, void> {
  const signal = anySignal(context.signal, options.signal)
  const { size } = descriptor
  let position = options.offset ?? 0
  if (position > size) throw invalidArgument(`blob ${descriptor.digest} has ${size} bytes: it cannot be read from ${position}`)
  if (position === size) return
  const sources = await blobSources(context, descriptor, signal)
  // A server that gives a byte and hangs up could keep us for ever: attempts begin anew only after a step that is worth it.
  const step = Math.min(PROGRESS, size / 20)
  let failures = 0
  for (let source = sources.shift(); source !== undefined;) {
    const began = position
    try {
      for await (const chunk of readFrom(source, descriptor, position)) {
        position += chunk.length
        yield chunk
      }
      return
    } catch (error) {
      checkCancelled(signal)
      failures = position - began >= step ? 1 : failures + 1
      const wait = isTransient(error) && failures < context.attempts() ? backoff(failures, error, context.limits) : undefined
      // While there are other places, only one that has been of use is given another chance.
      if (wait === undefined || (sources.length > 0 && position === began)) {
        source.broken()
        source = nextSource(sources, error)
        failures = 0
        continue
      }
      options.retrying?.(Math.ceil(wait / 1000))
      await pause(wait, signal)
    }
  }
}

/** Bytes after which a broken connection counts as the first one again. */
const PROGRESS = 64 * 1024

function nextSource(sources: BlobSource[], error: unknown): BlobSource {
  const next = sources.shift()
  if (next === undefined) throw error
  return next
}

/** The registry's hosts, then the addresses that the manifest itself gives for layers which may not be distributed. */
async function blobSources(
  context: RepositoryContext,
  { digest, mediaType = '', urls = [] }: BlobDescriptor,
  signal: AbortSignal | undefined,
): Promise<BlobSource[]> {
  const { path } = context.name
  const sessions = await context.sessions('pull')
  const hosts = sessions.map((session): BlobSource => ({
    get: (headers) =>
      session.send({ method: 'GET', path: `/${path}/blobs/${digest}`, headers, scopes: [repositoryScope(path, 'pull')], signal }),
    broken: () => context.markBroken(session),
  }))
  // A registry on this machine may have its neighbours there, too; no other may send us to what only we can reach.
  const outside = !sessions.some(({ host }) => isOnLoopback(new URL(host.base)))
  const elsewhere = (FOREIGN_LAYER.test(mediaType) ? urls : []).slice(0, MAX_URLS).flatMap((text): BlobSource[] => {
    const url = URL.parse(text)
    // The manifest's author chooses these: nothing but the web, and nobody's credentials.
    if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:') || url.username !== '') return []
    const request = { method: 'GET', url, tls: STRANGERS_TLS, outside, signal } as const
    return [{ get: (headers) => sendFollowing(context.transport, { ...request, headers }), broken: () => undefined }]
  })
  return [...hosts, ...elsewhere]
}

/** Exactly the bytes from `position` to the end. Throws when there are fewer (transient) or more, or the answer is about something else. */
async function* readFrom(source: BlobSource, { digest, size }: BlobDescriptor, position: number): AsyncGenerator<Buffer, void, void> {
  // A body that somebody compressed on the way would not have the digest.
  const response = await source.get({ 'accept-encoding': 'identity', ...(position > 0 && { range: `bytes=${position}-` }) })
  let skip = await checkAnswer(response, digest, size, position)
  let left = size - position
  for await (const chunk of response.body) {
    const skipped = Math.min(skip, chunk.length)
    skip -= skipped
    const wanted = chunk.subarray(skipped)
    if (wanted.length > left) throw invalidArgument(`blob ${digest}: more than the ${size} bytes of its descriptor came`)
    left -= wanted.length
    if (wanted.length > 0) yield wanted
  }
  if (left > 0) throw new NetworkError(response.request, 'unexpected EOF')
}

/** Returns how many bytes of the body come before `position`: all of them where the server knows no ranges. */
async function checkAnswer(response: HttpResponse, digest: string, size: number, position: number): Promise<number> {
  const { status, headers } = response
  if (status === 404) {
    response.discard()
    throw new RegistryError('unknown blob', { status })
  }
  if (status !== 200 && status !== 206) throw await registryError(response)
  const skip = status === 206 ? 0 : position
  const start = status === 206 ? position : 0
  const length = headers['content-length'] === undefined ? undefined : Number(headers['content-length'])
  const wrong = (problem: string): EngineError => {
    response.discard()
    return invalidArgument(`blob ${digest}: ${problem}`)
  }
  if (status === 206 && !matchesRange(headers['content-range'], start, size))
    throw wrong(`bytes from ${position} of ${size} were asked for, the registry answers with ${String(headers['content-range'])}`)
  if (headers['content-encoding'] !== undefined && headers['content-encoding'] !== 'identity')
    throw wrong(`the registry sends it encoded as ${headers['content-encoding']}`)
  if (length !== undefined && start + length !== size)
    throw wrong(`the registry has ${start + length} bytes of it, its descriptor says ${size}`)
  return skip
}

/** `bytes 100-199/200`; the size may be `*`. RFC 9110, 14.4. */
function matchesRange(header: string | undefined, start: number, size: number): boolean {
  const match = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(header ?? '')
  if (match === null) return false
  const [, first, last, total] = match
  return Number(first) === start && Number(last) === size - 1 && (total === '*' || Number(total) === size)
}
