import { createRemotes, type HostCapability, type RegistryHost, type RemoteRepository } from '#remotes'
import type { ProxyConfig } from '../config/services-section.ts'

/** The registry behind a cache. */
export interface UpstreamRegistry extends AsyncDisposable {
  repository(name: string): RemoteRepository
}

const CAPABILITIES: ReadonlySet<HostCapability> = new Set(['pull', 'resolve'])

/** Connects with nothing yet. Repositories have the same names there as here: for Docker Hub with `library/`, which clients of a mirror send. */
export function openUpstream({ remoteUrl, credentials }: ProxyConfig, userAgent: string): UpstreamRegistry {
  const url = new URL(remoteUrl)
  const host: RegistryHost = {
    base: `${url.origin}${url.pathname.replace(/\/+$/, '')}/v2`,
    capabilities: CAPABILITIES,
    tls: { skipVerify: false, ca: [], clients: [] },
    headers: {},
    credentials: true,
    plainFallback: false,
  }
  const remotes = createRemotes({ hosts: { hosts: () => Promise.resolve([host]), isInsecure: () => false }, userAgent })
  return {
    repository: (path) => remotes.repository({ domain: url.host, path }, 'pull', { ...(credentials && { credentials }) }),
    [Symbol.asyncDispose]: () => remotes[Symbol.asyncDispose](),
  }
}
