import { isIP } from 'node:net'
import { inRange } from '../transport/no-proxy.ts'

/** Registries on this machine are always insecure, as with dockerd: their certificates are seldom anybody's. */
const LOOPBACK: readonly string[] = ['127.0.0.0/8', '::1/128']
const HUB: ReadonlySet<string> = new Set(['docker.io', 'index.docker.io', 'registry-1.docker.io'])

/** All addresses of a name; none when it has none. */
export type LookupAddresses = (hostname: string) => Promise<readonly string[]>

/**
 * Whether a registry is one of dockerd's `insecure-registries`, by what is written there and without asking a name server: `localhost`
 * counts as loopback. `entries`: `HOST[:PORT]` or CIDR. Docker Hub never is.
 */
export function isInsecure(domain: string, entries: readonly string[]): boolean {
  const host = hostnameOf(domain)
  return matches(domain, entries, host === 'localhost' ? ['127.0.0.1'] : [host])
}

/** The same, with the addresses of a name: one in a range is enough. Source: moby v28 registry/config.go, `isSecureIndex`. */
export async function resolvesToInsecure(domain: string, entries: readonly string[], lookup: LookupAddresses): Promise<boolean> {
  if (HUB.has(domain)) return false
  if (isInsecure(domain, entries)) return true
  const host = hostnameOf(domain)
  return isIP(host) === 0 && matches(domain, entries, await lookup(host))
}

function matches(domain: string, entries: readonly string[], addresses: readonly string[]): boolean {
  if (HUB.has(domain)) return false
  return entries.includes(domain) || [...LOOPBACK, ...entries].some((range) => addresses.some((address) => inRange(address, range)))
}

/** `registry:5000` → `registry`, `[::1]:5000` → `::1`. */
export function hostnameOf(domain: string): string {
  return /^\[([^\]]*)\]/.exec(domain)?.[1] ?? domain.replace(/:\d+$/, '')
}
