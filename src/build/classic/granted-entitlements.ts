import type { Entitlement } from '../types.ts'

/**
 * What a client grants that cannot say so: the host's network, when it wants it for all steps (`docker build --network host`). A stranger's Dockerfile alone
 * (`RUN --network=host`) does not get it. Source: moby daemon/internal/builder-next/builder.go.
 */
export function grantedEntitlements(options: Readonly<Record<string, string>>): ReadonlySet<Entitlement> {
  return new Set(options['force-network-mode'] === 'host' ? ['network.host' as const] : [])
}
