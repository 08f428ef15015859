import type { IncomingMessage, ServerResponse } from 'node:http'
import { LimitExceededError, readLimited } from '#lib'
import type { Page } from '../types.ts'
import { basicCredentials } from './basic-credentials.ts'
import { quoted } from './quoted.ts'
import { parseScopes, rightsOf, type ResourceActions } from './scope.ts'
import type { TokenIssuer } from './token-issuer.ts'
import { TooManyAttemptsError, type AccessList, type UserDirectory } from './types.ts'

const MAX_FORM = 64 << 10

export interface TokenServerDeps {
  service: string
  users: UserDirectory
  rights: AccessList
  issuer: TokenIssuer
}

/** An answer that is not a token. */
class Refusal extends Error {
  readonly status: number
  readonly code: string
  readonly headers: Record<string, string>

  constructor(status: number, code: string, message: string, headers: Record<string, string> = {}) {
    super(message)
    this.status = status
    this.code = code
    this.headers = headers
  }
}

/** Who asks, and for what. */
interface TokenRequest {
  service: string
  user: string | undefined
  scopes: string[]
  /** A refresh token is wanted, too. */
  offline: boolean
}

/**
 * Gives tokens to users: `GET` with Basic credentials or none (distribution docs/spec/auth/token.md), `POST` with a form (docs/spec/auth/oauth.md).
 * A token holds what was asked for as far as the user may have it, possibly nothing; that is no error here.
 */
export function createTokenServer(deps: TokenServerDeps): Page {
  const { service, users, rights, issuer } = deps

  async function checked(name: string, password: string): Promise<string> {
    try {
      if (await users.verify(name, password)) return name
    } catch (error) {
      if (!(error instanceof TooManyAttemptsError)) throw error
      throw new Refusal(429, 'TOOMANYREQUESTS', error.message, { 'Retry-After': String(error.retryAfter) })
    }
    throw new Refusal(401, 'UNAUTHORIZED', 'incorrect username or password', { 'WWW-Authenticate': `Basic realm=${quoted(service)}` })
  }

  async function refreshed(token: string): Promise<string> {
    const claims = await issuer.readRefresh(token, service)
    if (claims !== undefined && (await users.fingerprint(claims.subject)) === claims.fingerprint) return claims.subject
    throw new Refusal(401, 'UNAUTHORIZED', 'refresh token is not valid any more: log in again')
  }

  async function fromQuery(request: IncomingMessage): Promise<TokenRequest> {
    const query = new URL(request.url ?? '', 'http://server').searchParams
    const given = basicCredentials(request)
    if (given === undefined && request.headers.authorization !== undefined) {
      throw new Refusal(401, 'UNAUTHORIZED', 'authentication required', { 'WWW-Authenticate': `Basic realm=${quoted(service)}` })
    }
    return {
      service: query.get('service') ?? '',
      user: given && (await checked(given.name, given.password)),
      scopes: query.getAll('scope'),
      offline: query.get('offline_token') === 'true',
    }
  }

  async function fromForm(request: IncomingMessage): Promise<TokenRequest> {
    const form = await readForm(request)
    const field = (name: string): string => form.get(name) ?? ''
    const grant = field('grant_type')
    const common = { service: field('service'), scopes: form.getAll('scope'), offline: field('access_type') === 'offline' }
    if (grant === 'password') return { ...common, user: await checked(field('username'), field('password')) }
    if (grant === 'refresh_token') return { ...common, user: await refreshed(field('refresh_token')) }
    throw new Refusal(400, 'UNSUPPORTED', `unsupported grant_type ${JSON.stringify(grant)}`)
  }

  function granted(user: string | undefined, scopes: readonly string[]): ResourceActions[] {
    return parseScopes(scopes).flatMap((wanted) => {
      const actions = rightsOf(wanted)
        .filter((right) => rights.permits(user, right))
        .map((right) => right.action)
      return actions.length > 0 ? [{ type: wanted.type, name: wanted.name, actions }] : []
    })
  }

  async function tokenFor(asked: TokenRequest): Promise<Record<string, unknown>> {
    // A token for another service would be of no use to the client, and of use to whoever runs that service.
    if (asked.service !== service) throw new Refusal(400, 'UNSUPPORTED', `unknown service ${JSON.stringify(asked.service)}`)
    const access = granted(asked.user, asked.scopes)
    const { token, expiresIn, issuedAt } = await issuer.issue(asked.user, service, access)
    const fingerprint = asked.offline && asked.user !== undefined ? await users.fingerprint(asked.user) : undefined
    return {
      token,
      access_token: token,
      expires_in: expiresIn,
      issued_at: issuedAt.toISOString(),
      scope: access.map(({ type, name, actions }) => `${type}:${name}:${actions.join(',')}`).join(' '),
      ...(asked.user !== undefined &&
        fingerprint !== undefined && { refresh_token: await issuer.issueRefresh(asked.user, service, fingerprint) }),
    }
  }

  return async (request, response) => {
    try {
      if (request.method !== 'GET' && request.method !== 'POST') {
        throw new Refusal(405, 'UNSUPPORTED', `${request.method} is not allowed`, { Allow: 'GET, POST' })
      }
      send(response, 200, await tokenFor(await (request.method === 'GET' ? fromQuery(request) : fromForm(request))))
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      // The error format of the API: clients show its message to the user.
      send(response, error.status, { errors: [{ code: error.code, message: error.message }] }, error.headers)
    }
  }
}

async function readForm(request: IncomingMessage): Promise<URLSearchParams> {
  try {
    // The connection stays when the form is too long: it is needed to say so.
    const body = await readLimited(request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>, MAX_FORM, 'the form')
    return new URLSearchParams(body.toString('utf8'))
  } catch (error) {
    if (error instanceof LimitExceededError) throw new Refusal(413, 'SIZE_INVALID', error.message, { Connection: 'close' })
    throw error
  }
}

function send(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  const text = `${JSON.stringify(body)}\n`
  response.writeHead(status, {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(text),
    'Cache-Control': 'no-store',
    ...headers,
  })
  response.end(text)
}
