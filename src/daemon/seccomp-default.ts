import { readFileSync } from 'node:fs'
import type { ContainerDefaults, HostFacts } from '#containers'
import { createSeccompFilters, decodeProfile, DEFAULT_PROFILE, type SeccompFilters } from '#kernel'

export interface SeccompDefault {
  kind: 'builtin' | 'unconfined' | 'custom'
  /** undefined: containers are unconfined by default. */
  defaultFor: ContainerDefaults['defaultSeccomp']
  compile: SeccompFilters['program']
}

/** `seccomp-profile`: `builtin`, `unconfined` or a file. Throws Error when the file cannot be used. */
export function seccompDefault(setting: string, host: Pick<HostFacts, 'machine' | 'kernel'>): SeccompDefault {
  const kind = setting === 'builtin' || setting === '' ? 'builtin' : setting === 'unconfined' ? 'unconfined' : 'custom'
  const profile = kind === 'custom' ? readProfile(setting) : DEFAULT_PROFILE
  const filters = createSeccompFilters({ profile, machine: host.machine, kernel: host.kernel })
  return { kind, defaultFor: kind === 'unconfined' ? undefined : filters.defaultFor, compile: filters.program }
}

function readProfile(path: string): ReturnType<typeof decodeProfile> {
  try {
    return decodeProfile(readFileSync(path, 'utf8'))
  } catch (cause) {
    throw new Error(`opening seccomp profile (${path}) failed: ${(cause as Error).message}`, { cause })
  }
}
