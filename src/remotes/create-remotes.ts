import { createTokenCache } from './auth/token-cache.ts'
import { createRemoteRepository } from './repository/remote-repository.ts'
import { createRepositoryContext } from './repository/repository-context.ts'
import { createRegistrySession } from './session/registry-session.ts'
import { createAgents } from './transport/agents.ts'
import { createHttpTransport } from './transport/http-transport.ts'
import { DEFAULT_LIMITS } from './transport/limits.ts'
import { login } from './login.ts'
import { search } from './search.ts'
import { requestHeaders } from './session/request-headers.ts'
import type { RegistryHost, Remotes, RemotesDeps } from './types.ts'

/** As dockerd's max-download-attempts. */
const DEFAULT_ATTEMPTS = 5

/** {@link Remotes}: connections and tokens are shared by all repositories. Disposing closes the connections; what is under way fails. */
export function createRemotes(deps: RemotesDeps): Remotes {
  const limits = { ...DEFAULT_LIMITS, ...deps.limits }
  const agents = createAgents(deps.proxies)
  const transport = createHttpTransport({ agents, limits })
  const tokens = createTokenCache()

  const access = { hosts: deps.hosts, transport, tokens, userAgent: deps.userAgent }

  return {
    repository(name, intent, { credentials = {}, headers, insecure = false, signal } = {}) {
      const session = { transport, tokens, credentials, headers: requestHeaders(deps.userAgent, headers) }
      const context = createRepositoryContext({
        name,
        transport,
        limits,
        attempts: deps.attempts ?? (() => DEFAULT_ATTEMPTS),
        signal,
        connect: async () =>
          (await deps.hosts.hosts(name.domain)).map((host) =>
            createRegistrySession({ ...session, host: insecure ? withoutChecks(host) : host }),
          ),
      })
      return createRemoteRepository(context, intent)
    },
    login: (server, credentials, options) => login(access, server, credentials, options),
    search: (term, options) => search(access, term, options),
    async [Symbol.asyncDispose]() {
      agents[Symbol.dispose]()
    },
  }
}

function withoutChecks(host: RegistryHost): RegistryHost {
  return { ...host, tls: { ...host.tls, skipVerify: true }, plainFallback: true }
}
