import { createRemotes, type HostCapability, type RegistryHost, type RemoteRepository } from '#remotes'
import type { ProxyConfig } from '../config/services-section.ts'

/** The registry behind a cache. */
export interface UpstreamRegistry extends AsyncDisposable {
  repository(name: string): RemoteRepository
}

/** Repositories whose client is kept: it has found out how the upstream wants to be talked to. */
const MAX_KEPT = 1000
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
  const kept = new Map<string, RemoteRepository>()
  return {
    repository(path) {
      const known = kept.get(path)
      if (known !== undefined) return known
      const made = remotes.repository({ domain: url.host, path }, 'pull', { ...(credentials && { credentials }) })
      if (kept.size >= MAX_KEPT) kept.clear()
      kept.set(path, made)
      return made
    },
    [Symbol.asyncDispose]: () => remotes[Symbol.asyncDispose](),
  }
}
