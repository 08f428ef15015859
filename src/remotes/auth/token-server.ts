import { parseJson, readLimited } from '#lib'
import { RegistryError, registryError } from '../session/registry-error.ts'
import { sendFollowing } from '../session/redirects.ts'
import type { HttpResponse, HttpTransport } from '../transport/http-transport.ts'
import { MAX_DOCUMENT_SIZE } from '../transport/limits.ts'
import { requestLabel } from '../transport/network-error.ts'
import type { Credentials, RegistryHost } from '../types.ts'

/** Name under which clients of Docker's protocol are known to token servers. */
const CLIENT_ID = 'docker'
/** Seconds; shorter lives than this are not believed. Source: Docker token authentication specification, `expires_in`. */
const MINIMUM_LIFE = 60

export interface TokenRequest {
  realm: URL
  service: string
  /** `repository:library/alpine:pull`, sorted. */
  scopes: readonly string[]
  credentials: Credentials
  /** Ask for a refresh token, too: at login. */
  offline: boolean
  tls: RegistryHost['tls']
  /** The realm may not lead to this machine. */
  outside: boolean
  /** The request that needs the token; errors begin with it. */
  purpose: { method: string; url: string }
}

export interface Token {
  token: string
  /** Milliseconds since the epoch. */
  expires: number
  /** Empty when the server gave none. */
  refreshToken: string
}

/**
 * Asks a token server for a bearer token: with an identity token by POST (OAuth2 refresh grant), else by GET with Basic credentials or
 * none, as dockerd does. A server that does not know the one way is asked the other, if the credentials suffice. Throws RegistryError,
 * NetworkError.
 * Source: distribution docs/spec/auth/{token,oauth}.md.
 */
export async function fetchToken(transport: HttpTransport, request: TokenRequest): Promise<Token> {
  const { identityToken, username = '', password = '' } = request.credentials
  const refreshable = identityToken !== undefined && identityToken !== ''
  const hasPassword = username !== '' && password !== ''
  const [first, second] = refreshable ? [byPost, byGet] : [byGet, byPost]
  let response = await first(transport, request)
  if (UNKNOWN_WAY.has(response.status) && hasPassword) {
    response.discard()
    response = await second(transport, request)
  }
  if (response.status < 200 || response.status > 299) throw await registryError(response, request.purpose)
  return await readToken(response, request)
}

/** The server has no such endpoint, or not for this method. */
const UNKNOWN_WAY: ReadonlySet<number> = new Set([404, 405])

async function byGet(transport: HttpTransport, request: TokenRequest): Promise<HttpResponse> {
  const { username = '', password = '' } = request.credentials
  const url = new URL(request.realm)
  if (request.service !== '') url.searchParams.append('service', request.service)
  for (const scope of request.scopes) url.searchParams.append('scope', scope)
  if (request.offline) {
    url.searchParams.append('offline_token', 'true')
    url.searchParams.append('client_id', CLIENT_ID)
  }
  if (username !== '' && password !== '') url.searchParams.append('account', username)
  const secrets = username !== '' && password !== '' ? { authorization: basicAuthorization(username, password) } : {}
  const { tls, outside } = request
  return await sendFollowing(transport, { method: 'GET', url, headers: { accept: 'application/json' }, secrets, tls, outside })
}

async function byPost(transport: HttpTransport, request: TokenRequest): Promise<HttpResponse> {
  const { username = '', password = '', identityToken } = request.credentials
  const form = new URLSearchParams({ service: request.service, client_id: CLIENT_ID, scope: request.scopes.join(' ') })
  if (identityToken) {
    form.set('grant_type', 'refresh_token')
    form.set('refresh_token', identityToken)
  } else {
    form.set('grant_type', 'password')
    form.set('username', username)
    form.set('password', password)
  }
  if (request.offline) form.set('access_type', 'offline')
  // Sent without following redirects: the credentials are in the body, and a redirect would carry them along.
  return await transport.send({
    method: 'POST',
    url: request.realm,
    headers: { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' },
    body: Buffer.from(form.toString()),
    tls: request.tls,
    outside: request.outside,
  })
}

async function readToken(response: HttpResponse, request: TokenRequest): Promise<Token> {
  const refuse = (reason: string): RegistryError => new RegistryError(`${requestLabel(request.purpose)}: ${reason}`, { status: 401 })
  let document: unknown
  try {
    document = parseJson(await readLimited(response.body, MAX_DOCUMENT_SIZE, 'token'), { maxBytes: MAX_DOCUMENT_SIZE, maxDepth: 16 })
  } catch (error) {
    throw refuse(`unable to decode token response: ${(error as Error).message}`)
  }
  const { token, access_token, expires_in, issued_at, refresh_token } = (document ?? {}) as Record<string, unknown>
  const found = [token, access_token].find((value) => typeof value === 'string' && value !== '') as string | undefined
  if (found === undefined) throw refuse('authorization server did not include a token in the response')
  // Not a header's value: a line break in it would start another header (node refuses, we say why).
  if (!/^[\x21-\x7e]+$/.test(found)) throw refuse('authorization server gave a token that is no header value')
  const life = typeof expires_in === 'number' && expires_in > MINIMUM_LIFE ? expires_in : MINIMUM_LIFE
  const issued = typeof issued_at === 'string' ? Date.parse(issued_at) : NaN
  // A clock of theirs that is ahead would keep a token alive that is dead.
  const from = Number.isNaN(issued) ? Date.now() : Math.min(issued, Date.now())
  return { token: found, expires: from + life * 1000, refreshToken: typeof refresh_token === 'string' ? refresh_token : '' }
}

export function basicAuthorization(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
}
