import type { Digest } from '#oci'
import { RegistryError, registryError } from '../session/registry-error.ts'
import type { RegistrySession, SessionRequest } from '../session/registry-session.ts'
import type { HttpResponse } from '../transport/http-transport.ts'
import { NetworkError } from '../transport/network-error.ts'
import { repositoryScope } from './repository-context.ts'

/** An upload that the registry has open for us. */
export interface Upload {
  /** Where the next request goes; the registry changes it with each answer. */
  location: URL
  /** Bytes that the registry has for certain. */
  offset: number
  /** Bytes that were handed to the connection, those before `offset` included. */
  sent: number
}

/** The requests of one upload. All throw NetworkError, RegistryError, CANCELLED. Source: distribution-spec v1.1, "Pushing blobs". */
export interface Uploads {
  start(
    mount: { digest: Digest; from: string } | undefined,
    signal: AbortSignal | undefined,
  ): Promise<{ kind: 'mounted' } | { kind: 'upload'; upload: Upload }>
  /** Sends the rest of the content from `upload.offset` on, in one PATCH. */
  append(
    upload: Upload,
    content: AsyncIterable<Buffer>,
    options: { size: number | undefined; signal: AbortSignal | undefined; progress: ((sent: number) => void) | undefined },
  ): Promise<void>
  /** Closes the upload; `body` is all of it. */
  finish(upload: Upload, digest: Digest, signal: AbortSignal | undefined, body?: Buffer): Promise<void>
  /** Asks how far the registry got; undefined when that is of no use. */
  recover(upload: Upload, signal: AbortSignal | undefined): Promise<Upload | undefined>
  /** Tells the registry to throw the upload away. Best effort, at most five seconds; never throws. */
  cancel(upload: Upload | undefined): Promise<void>
}

const CANCEL_MS = 5_000
const CONTENT_TYPE = 'application/octet-stream'

export function createUploads(session: RegistrySession, path: string): Uploads {
  const scopes = [repositoryScope(path, 'pull,push')]

  async function send(request: Omit<SessionRequest, 'scopes'>, extra: readonly string[] = []): Promise<HttpResponse> {
    const response = await session.send({ ...request, scopes: [...scopes, ...extra] })
    if (response.status < 200 || response.status > 299) throw await registryError(response)
    response.discard()
    return response
  }

  async function begin(signal: AbortSignal | undefined, query = '', rights: readonly string[] = []): Promise<HttpResponse> {
    return await send({ method: 'POST', path: `/${path}/blobs/uploads/${query}`, body: Buffer.alloc(0), signal }, rights)
  }

  /**
   * A registry that cannot mount begins an upload; one that forbids to look into the other repository says so, and is asked for an upload.
   */
  async function mountOrBegin({ digest, from }: { digest: Digest; from: string }, signal: AbortSignal | undefined): Promise<HttpResponse> {
    try {
      const query = `?${new URLSearchParams({ mount: digest, from }).toString()}`
      return await begin(signal, query, [repositoryScope(from, 'pull')])
    } catch (error) {
      if (!(error instanceof RegistryError) || error.status >= 500 || error.status === 429) throw error
      return await begin(signal)
    }
  }

  return {
    async start(mount, signal) {
      const response = mount === undefined ? await begin(signal) : await mountOrBegin(mount, signal)
      if (mount !== undefined && response.status === 201) return { kind: 'mounted' }
      return { kind: 'upload', upload: { location: location(response, undefined), offset: 0, sent: 0 } }
    },

    async append(upload, content, { size, signal, progress }) {
      const { offset } = upload
      // Docker sends no range with the first piece, and every registry takes what Docker sends.
      const headers = {
        'content-type': CONTENT_TYPE,
        ...(size !== undefined && { 'content-length': size - offset }),
        ...(size !== undefined && offset > 0 && { 'content-range': `${offset}-${size - 1}` }),
      }
      const response = await send({
        method: 'PATCH',
        path: upload.location,
        headers,
        body: content,
        signal,
        progress(sent) {
          upload.sent = offset + sent
          progress?.(upload.sent)
        },
      })
      upload.location = location(response, upload.location)
      upload.offset = upload.sent
    },

    async finish(upload, digest, signal, body = Buffer.alloc(0)) {
      const url = new URL(upload.location)
      // Appended as text: what is there belongs to the registry, down to its spelling.
      url.search += `${url.search === '' ? '?' : '&'}digest=${encodeURIComponent(digest)}`
      await send({ method: 'PUT', path: url, headers: { 'content-type': CONTENT_TYPE }, body, signal })
      upload.sent = Math.max(upload.sent, body.length)
    },

    async recover(upload, signal) {
      try {
        const response = await send({ method: 'GET', path: upload.location, signal })
        const last = Number(/^(?:bytes=)?0-(\d+)$/.exec(response.headers['range'] ?? '')?.[1] ?? 0)
        // `0-0` is one byte or none, depending on the registry.
        if (last === 0) return undefined
        return { location: location(response, upload.location), offset: last + 1, sent: last + 1 }
      } catch {
        return undefined
      }
    },

    async cancel(upload) {
      if (upload === undefined) return
      await send({ method: 'DELETE', path: upload.location, signal: AbortSignal.timeout(CANCEL_MS) }).catch(() => undefined)
    },
  }
}

/** Where an upload goes on: absolute or relative to what was asked; its query is part of the upload's name. */
function location(response: HttpResponse, before: URL | undefined): URL {
  const { location: header } = response.headers
  if (header === undefined && before !== undefined) return before
  const asked = new URL(response.request.url)
  const url = header === undefined ? null : URL.parse(header, asked)
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:'))
    throw new NetworkError(response.request, `the registry gave no location for the upload (${String(header)})`, { transient: false })
  if (asked.protocol === 'http:' || url.protocol === 'https:') return url
  // The content must not go in plain. A registry that does not know of the TLS in front of it writes its own name like that.
  if (url.hostname !== asked.hostname)
    throw new NetworkError(response.request, `upload from https to ${url.origin} refused`, { transient: false })
  url.protocol = 'https:'
  url.port = asked.port
  return url
}
