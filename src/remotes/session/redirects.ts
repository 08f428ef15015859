import type { OutgoingHttpHeaders } from 'node:http'
import type { HttpRequest, HttpResponse, HttpTransport } from '../transport/http-transport.ts'
import { NetworkError } from '../transport/network-error.ts'

/** As many as Go's client follows. */
const MAX_REDIRECTS = 10
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])

export interface RedirectableRequest extends HttpRequest {
  /** Credentials and what else only the addressed server may see: never sent to another origin, however it is reached. */
  secrets?: OutgoingHttpHeaders
}

/**
 * Sends a request and follows redirects: registries keep blobs elsewhere. A server that sends us away can choose where, so: secrets stay
 * with the origin that was addressed (scheme, host and port); from TLS nothing leads to plain HTTP; only GET and HEAD, and with 307 or 308
 * what has a body that can be sent again, are repeated elsewhere. Throws NetworkError beyond 10.
 */
export async function sendFollowing(transport: HttpTransport, request: RedirectableRequest): Promise<HttpResponse> {
  const { secrets = {}, ...addressed } = request
  let { url } = addressed
  for (let hop = 0; ; hop++) {
    const own = url.origin === addressed.url.origin
    const response = await transport.send({ ...addressed, url, headers: { ...addressed.headers, ...(own && secrets) } })
    const { location } = response.headers
    if (!REDIRECTS.has(response.status) || location === undefined || !repeatable(request, response.status)) return response
    response.discard()
    if (hop >= MAX_REDIRECTS) throw refused(response, `stopped after ${MAX_REDIRECTS} redirects`)
    url = redirected(response, url, location)
  }
}

function repeatable({ method, body }: HttpRequest, status: number): boolean {
  if (method === 'GET' || method === 'HEAD') return true
  return (status === 307 || status === 308) && (body === undefined || Buffer.isBuffer(body))
}

function redirected(response: HttpResponse, from: URL, location: string): URL {
  const url = URL.parse(location, from)
  if (url === null) throw refused(response, `failed to parse Location header ${JSON.stringify(location)}`)
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw refused(response, `unsupported protocol scheme ${JSON.stringify(url.protocol.replace(/:$/, ''))}`)
  if (from.protocol === 'https:' && url.protocol === 'http:') throw refused(response, `redirect from https to ${url.origin} refused`)
  return url
}

function refused(response: HttpResponse, reason: string): NetworkError {
  return new NetworkError(response.request, reason, { transient: false })
}
