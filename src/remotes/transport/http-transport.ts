import { request as httpRequest } from 'node:http'
import type { ClientRequest, IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { RegistryHost, TransferLimits } from '../types.ts'
import type { Agents } from './agents.ts'
import { checkCancelled } from './cancel.ts'
import { guardedBody } from './guarded-body.ts'
import { MAX_HEADER_SIZE } from './limits.ts'
import { NetworkError, networkError } from './network-error.ts'
import { isLocal, LocalAddressError } from './outside.ts'
import { writeBody } from './write-body.ts'

export interface HttpRequest {
  method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  url: URL
  headers?: OutgoingHttpHeaders
  /** A buffer is sent again where the connection was closed before the request; a stream is read once. */
  body?: Buffer | AsyncIterable<Buffer>
  tls: RegistryHost['tls']
  /** Not to be sent to this machine or its link, whatever the host's name resolves to: for URLs that come from strangers. */
  outside?: boolean | undefined
  /** Milliseconds, where the host has a limit of its own. */
  connectMs?: number | undefined
  signal?: AbortSignal | undefined
  /** Called with the bytes of a streamed body that have been handed over so far. */
  progress?: ((sent: number) => void) | undefined
}

/** A response whose body is still to come: it has to be read or discarded, or its connection stays occupied. */
export interface HttpResponse {
  request: { method: string; url: string }
  status: number
  /** `404 Not Found`. */
  statusLine: string
  headers: IncomingHttpHeaders
  /** Guarded by the limits; to be read once. */
  body: AsyncIterable<Buffer>
  discard(): void
}

export interface HttpTransport {
  /**
   * One request, one response; redirects and statuses are the caller's. Throws {@link NetworkError}, CANCELLED, or what the body's source
   * threw.
   */
  send(request: HttpRequest): Promise<HttpResponse>
}

/** A body that nobody wants is read to its end, for the sake of the connection, if it is small and quick. */
const DRAIN_SIZE = 64 * 1024
const DRAIN_MS = 1000
/** A pool may hold several connections that the server has closed meanwhile. */
const STALE_CONNECTIONS = 5

/** {@link HttpTransport} over node's client: the pools are the caller's. */
export function createHttpTransport({ agents, limits }: { agents: Agents; limits: TransferLimits }): HttpTransport {
  return {
    async send(options) {
      for (let attempt = 1; ; attempt++) {
        const { signal, body } = options
        checkCancelled(signal)
        const request = start(options, agents)
        try {
          return await exchange(request, options, limits)
        } catch (error) {
          checkCancelled(signal)
          // The server closed an idle connection while our request was on its way: it has not seen it. RFC 9112, 9.3.1.
          const stale = request.reusedSocket && error instanceof NetworkError && error.transient && !isStream(body)
          if (!stale || attempt > STALE_CONNECTIONS) throw error
        }
      }
    },
  }
}

function start({ method, url, headers, tls, body, outside = false }: HttpRequest, agents: Agents): ClientRequest {
  if (outside && isLocal(url)) throw networkError({ method, url: url.href }, new LocalAddressError(url.hostname))
  const length = Buffer.isBuffer(body) ? { 'content-length': body.length } : {}
  const request = url.protocol === 'https:' ? httpsRequest : httpRequest
  return request(url, {
    method,
    headers: { ...length, ...headers },
    agent: agents.agentFor(url, tls, outside),
    maxHeaderSize: MAX_HEADER_SIZE,
  })
}

async function exchange(request: ClientRequest, options: HttpRequest, limits: TransferLimits): Promise<HttpResponse> {
  const { method, url, body, signal, progress } = options
  const label = { method, url: url.href }
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const fail = (reason: string): void => void request.destroy(new NetworkError(label, reason))
  request.on('response', resolve)
  // Stays for the life of the request: a connection may break after the response has begun, and then the body says so.
  request.on('error', (error) => reject(networkError(label, error)))
  const abort = (): void => void request.destroy(new NetworkError(label, 'context canceled', { transient: false }))
  signal?.addEventListener('abort', abort, { once: true })
  request.once('close', () => signal?.removeEventListener('abort', abort))

  const stopConnecting = limitConnecting(request, url, options.connectMs ?? limits.connect, fail)
  const answerMs = method === 'PUT' || method === 'PATCH' ? limits.uploadResponse : limits.response
  let answer: NodeJS.Timeout | undefined
  const limitAnswer = (): void => {
    answer = setTimeout(() => fail('net/http: timeout awaiting response headers'), answerMs)
  }
  request.once('finish', limitAnswer)
  try {
    if (isStream(body)) writeBody(request, body, { idle: limits.idle, fail, progress }).catch(reject)
    else request.end(body)
    return toResponse(await promise, request, label, limits)
  } catch (error) {
    request.destroy()
    throw error
  } finally {
    stopConnecting()
    clearTimeout(answer)
    request.off('finish', limitAnswer)
  }
}

/** Ends a request that has no connection in time. Returns what stops the watch. */
function limitConnecting(request: ClientRequest, url: URL, limit: number, fail: (reason: string) => void): () => void {
  const port = url.port || (url.protocol === 'https:' ? '443' : '80')
  const timer = setTimeout(() => fail(`dial tcp ${url.hostname}:${port}: i/o timeout`), limit)
  const stop = (): void => clearTimeout(timer)
  request.once('socket', (socket) => {
    if (request.reusedSocket) stop()
    else socket.once(url.protocol === 'https:' ? 'secureConnect' : 'connect', stop)
  })
  return stop
}

function toResponse(
  incoming: IncomingMessage,
  request: ClientRequest,
  label: { method: string; url: string },
  limits: TransferLimits,
): HttpResponse {
  // An answer that came before the whole body was sent (401, 413): the connection is of no use after it.
  if (!request.writableFinished) incoming.once('close', () => request.destroy())
  return {
    request: label,
    status: incoming.statusCode ?? 0,
    statusLine: `${incoming.statusCode ?? 0} ${incoming.statusMessage ?? ''}`.trim(),
    headers: incoming.headers,
    body: guardedBody(incoming, label, limits),
    discard() {
      const length = Number(incoming.headers['content-length'] ?? 0)
      if (label.method !== 'HEAD' && length > DRAIN_SIZE) return void incoming.destroy()
      const timer = setTimeout(() => incoming.destroy(), DRAIN_MS)
      timer.unref()
      incoming.once('close', () => clearTimeout(timer))
      incoming.resume()
    },
  }
}

function isStream(body: HttpRequest['body']): body is AsyncIterable<Buffer> {
  return body !== undefined && !Buffer.isBuffer(body)
}
