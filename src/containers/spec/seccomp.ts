/** Which system call filter a container gets. Source: moby daemon/seccomp_linux.go. */

import { decodeProfile, DEFAULT_PROFILE, resolveProfile } from '#kernel'
import type { SeccompSpec } from '#oci'
import type { SpecDefaults, HostFacts } from './spec-input.ts'

/**
 * `option`: the value of `--security-opt seccomp=…`. A privileged container is filtered only when it asks for a profile by name. Throws INVALID_ARGUMENT
 * for a profile that cannot be read.
 */
export function containerSeccomp(
  option: string | undefined,
  container: { privileged: boolean; capabilities: readonly string[] },
  defaults: Pick<SpecDefaults, 'defaultSeccomp'>,
  host: Pick<HostFacts, 'machine' | 'kernel'>,
): SeccompSpec | undefined {
  const wanted = option === '' ? undefined : option
  if (wanted === 'unconfined') return undefined
  if (wanted === undefined) return container.privileged ? undefined : defaults.defaultSeccomp?.(container.capabilities)
  const profile = wanted === 'builtin' ? DEFAULT_PROFILE : decodeProfile(wanted)
  return resolveProfile(profile, { capabilities: container.capabilities, machine: host.machine, kernel: host.kernel })
}
