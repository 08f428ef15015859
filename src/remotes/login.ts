import { EngineError, invalidArgument } from '#errors'
import type { TokenCache } from './auth/token-cache.ts'
import { codeOfStatus } from './session/engine-error.ts'
import { RegistryError } from './session/registry-error.ts'
import { createRegistrySession } from './session/registry-session.ts'
import { requestHeaders } from './session/request-headers.ts'
import { abandonable, checkCancelled } from './transport/cancel.ts'
import type { HttpTransport } from './transport/http-transport.ts'
import { NetworkError } from './transport/network-error.ts'
import type { Credentials, HostResolver } from './types.ts'

/** What `login` and `search` work with. */
export interface RegistryAccess {
  hosts: HostResolver
  transport: HttpTransport
  tokens: TokenCache
  userAgent: string
}

const HUB_INDEX = 'index.docker.io'

/** See `Remotes.login`. The registry itself is asked, never a mirror. */
export async function login(
  access: RegistryAccess,
  server: string,
  credentials: Credentials,
  options: { signal?: AbortSignal; userAgent?: string } = {},
): Promise<{ status: string; identityToken: string }> {
  const { signal, userAgent } = options
  let identityToken = credentials.identityToken ?? ''
  const host = (await access.hosts.hosts(serverHost(server))).at(-1)
  if (host === undefined) throw invalidArgument(`no endpoints found for ${server}`)
  const session = createRegistrySession({
    ...access,
    host,
    credentials,
    headers: requestHeaders(access.userAgent, userAgent === undefined ? {} : { 'user-agent': userAgent }),
    offline: { received: (token) => (identityToken = token) },
  })
  try {
    const url = await abandonable(session.ping(), signal)
    const response = await session.send({ method: 'GET', path: '/', scopes: [], signal })
    response.discard()
    if (response.status !== 200)
      throw new EngineError(codeOfStatus(response.status), `login attempt to ${url.href} failed with status: ${response.statusLine}`)
  } catch (error) {
    checkCancelled(signal)
    if (error instanceof NetworkError) throw new EngineError('UNAVAILABLE', error.message, { cause: error })
    if (error instanceof RegistryError) throw new EngineError(codeOfStatus(error.status), error.message, { cause: error })
    throw error
  }
  return { status: 'Login Succeeded', identityToken }
}

/** The registry's name in what a user logs in to: a URL or a name; nothing is Docker Hub. Source: moby v28 registry/service.go. */
function serverHost(server: string): string {
  if (server === '') return HUB_INDEX
  const text = server.includes('://') ? server : `https://${server}`
  const [, scheme = '', host = ''] = /^([^:]*):\/\/([^/?#]*)/.exec(text) ?? []
  if (scheme !== 'http' && scheme !== 'https')
    throw invalidArgument(
      `invalid server address ${JSON.stringify(server)}: unsupported URL scheme ${JSON.stringify(scheme)}: must be "http" or "https"`,
    )
  return host
}
