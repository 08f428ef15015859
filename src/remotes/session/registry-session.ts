import type { OutgoingHttpHeaders } from 'node:http'
import { createAuthorizer } from '../auth/authorizer.ts'
import type { AuthorizerDeps } from '../auth/authorizer.ts'
import { abandonable } from '../transport/cancel.ts'
import type { HttpRequest, HttpResponse } from '../transport/http-transport.ts'
import { NetworkError } from '../transport/network-error.ts'
import type { RegistryHost } from '../types.ts'
import { sendFollowing } from './redirects.ts'

export interface SessionRequest {
  method: HttpRequest['method']
  /** Below the host's base: `/library/alpine/manifests/latest`; or a URL that the registry gave (an upload's location). */
  path: string | URL
  headers?: OutgoingHttpHeaders
  body?: HttpRequest['body']
  /** Rights that the request needs, for registries with token servers: `repository:library/alpine:pull`. */
  scopes: readonly string[]
  signal?: AbortSignal | undefined
  progress?: ((sent: number) => void) | undefined
}

/** One registry host, spoken to with one set of credentials. */
export interface RegistrySession {
  readonly host: RegistryHost
  /**
   * Sends an authenticated request; refreshes a token once. Any status is an answer. A streamed body is not sent twice: its 401 comes back,
   * and the next request has a new token. Throws NetworkError, RegistryError (no token), CANCELLED.
   */
  send(request: SessionRequest): Promise<HttpResponse>
  /**
   * Looks whether the registry can be reached and how it authenticates; done by `send` where it is needed. Returns the URL that was asked.
   */
  ping(): Promise<URL>
}

export interface SessionDeps extends AuthorizerDeps {
  /** `User-Agent` and what an API client wants registries to see. */
  headers: OutgoingHttpHeaders
}

/** {@link RegistrySession}; no request is sent before the first `send` or `ping`. */
export function createRegistrySession(deps: SessionDeps): RegistrySession {
  const { transport, host } = deps
  const authorizer = createAuthorizer(deps)
  let base = new URL(host.base)
  let reached: Promise<URL> | undefined

  /**
   * Docker's first request: errors of the connection read `Get "https://host/v2/": …`. Its status does not matter, but for the challenges
   * of a 401.
   */
  async function ping(root: URL): Promise<URL> {
    const url = below(root, '/')
    const response = await sendFollowing(transport, { method: 'GET', url, ...common() })
    if (response.status === 401 && sameOrigin(response, url)) authorizer.learn(response.headers['www-authenticate'])
    response.discard()
    return url
  }

  async function pingAny(): Promise<URL> {
    try {
      return await ping(base)
    } catch (error) {
      if (!(error instanceof NetworkError && host.plainFallback && base.protocol === 'https:')) throw error
      const plain = new URL(base)
      plain.protocol = 'http:'
      const url = await ping(plain)
      base = plain
      return url
    }
  }

  function common(): Pick<HttpRequest, 'headers' | 'tls' | 'connectMs'> & { secrets: OutgoingHttpHeaders } {
    // Headers of hosts.toml are often keys.
    return { headers: deps.headers, secrets: { ...host.headers } as OutgoingHttpHeaders, tls: host.tls, connectMs: host.connectMs }
  }

  function pingOnce(): Promise<URL> {
    reached ??= pingAny().catch((error: unknown) => {
      reached = undefined
      throw error
    })
    return reached
  }

  async function attempt(url: URL, request: SessionRequest): Promise<{ response: HttpResponse; authorization: string | undefined }> {
    const { method, body, headers, signal, progress } = request
    const own = url.origin === base.origin
    const label = { method, url: url.href }
    const authorization = own ? await abandonable(authorizer.authorize(label, request.scopes), signal) : undefined
    const { secrets, ...options } = common()
    const response = await sendFollowing(transport, {
      ...options,
      method,
      url,
      headers: { ...options.headers, ...headers },
      secrets: own ? { ...secrets, ...(authorization !== undefined && { authorization }) } : {},
      ...(body !== undefined && { body }),
      signal,
      progress,
    })
    return { response, authorization }
  }

  return {
    host,
    ping: pingOnce,
    async send(request) {
      await abandonable(pingOnce(), request.signal)
      const url = typeof request.path === 'string' ? below(base, request.path) : request.path
      if (host.namespace !== undefined && typeof request.path === 'string') url.searchParams.set('ns', host.namespace)
      const { response, authorization } = await attempt(url, request)
      if (response.status !== 401 || !sameOrigin(response, base)) return response
      const again = authorizer.learn(response.headers['www-authenticate'], authorization)
      if (!again || (request.body !== undefined && !Buffer.isBuffer(request.body))) return response
      response.discard()
      return (await attempt(url, request)).response
    },
  }
}

function below(base: URL, path: string): URL {
  return new URL(`${base.href.replace(/\/$/, '')}${path}`)
}

/** Redirects may have led the request away: what others ask for is no business of ours. */
function sameOrigin(response: HttpResponse, url: URL): boolean {
  return new URL(response.request.url).origin === url.origin
}
