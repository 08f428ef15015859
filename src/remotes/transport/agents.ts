import { createHash } from 'node:crypto'
import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { createSecureContext, getCACertificates, rootCertificates } from 'node:tls'
import type { SecureContext } from 'node:tls'
import { invalidArgument } from '#errors'
import type { RegistryHost, RemotesDeps } from '../types.ts'
import { bypassesProxy } from './no-proxy.ts'
import { outsideLookup } from './outside.ts'

type TlsOptions = RegistryHost['tls']

/** Connections kept for the next request, as long as dockerd keeps them. */
const IDLE_CONNECTION_MS = 30_000

/** Pools of connections. One pool never mixes trust: hosts whose certificates are checked differently do not share connections. */
export interface Agents extends Disposable {
  /** `outside`: names that lead to this machine are refused; a proxy, if there is one, resolves them by itself. */
  agentFor(url: URL, tls: TlsOptions, outside?: boolean): HttpAgent
}

export function createAgents(proxies: RemotesDeps['proxies'] = {}): Agents {
  const agents = new Map<string, HttpAgent>()
  const identities = new WeakMap<TlsOptions, string>()
  let trusted: string[] | undefined

  function identity(tls: TlsOptions): string {
    let known = identities.get(tls)
    if (known === undefined) {
      const hash = createHash('sha256').update(tls.skipVerify ? 'any' : 'verified')
      for (const piece of [...tls.ca, ...tls.clients.flatMap(({ cert, key }) => [cert, key ?? cert])])
        hash.update(`|${piece.length}|`).update(piece)
      known = hash.digest('hex')
      identities.set(tls, known)
    }
    return known
  }

  function secureContext(tls: TlsOptions): SecureContext {
    trusted ??= systemCertificates()
    const { clients } = tls
    try {
      return createSecureContext({
        ca: [...trusted, ...tls.ca],
        ...(clients.length > 0 && { cert: clients.map(({ cert }) => cert), key: clients.map(({ cert, key }) => key ?? cert) }),
      })
    } catch (error) {
      throw invalidArgument(`cannot use the certificates of a registry: ${(error as Error).message}`, error)
    }
  }

  function create(url: URL, tls: TlsOptions, { proxied, guarded }: { proxied: boolean; guarded: boolean }): HttpAgent {
    const common = {
      keepAlive: true,
      timeout: IDLE_CONNECTION_MS,
      ...(guarded && { lookup: outsideLookup }),
      ...(proxied && { proxyEnv: { HTTP_PROXY: proxies.http ?? '', HTTPS_PROXY: proxies.https ?? '' } }),
    }
    if (url.protocol !== 'https:') return new HttpAgent(common)
    return new HttpsAgent({ ...common, secureContext: secureContext(tls), rejectUnauthorized: !tls.skipVerify })
  }

  return {
    agentFor(url, tls, outside = false) {
      const secure = url.protocol === 'https:'
      const proxied = Boolean(secure ? proxies.https : proxies.http) && !bypassesProxy(url, proxies.no ?? '')
      const guarded = outside && !proxied
      const key = `${url.protocol}${proxied ? 'proxied' : guarded ? 'guarded' : 'direct'}${secure ? identity(tls) : ''}`
      let agent = agents.get(key)
      if (agent === undefined) {
        agent = create(url, tls, { proxied, guarded })
        agents.set(key, agent)
      }
      return agent
    },
    [Symbol.dispose]() {
      for (const agent of agents.values()) agent.destroy()
      agents.clear()
    },
  }
}

/** What the machine trusts, as with Go programs; node's own list where the machine has none. */
function systemCertificates(): string[] {
  const found = new Set(getCACertificates('system'))
  return found.size > 0 ? [...found] : [...rootCertificates]
}
