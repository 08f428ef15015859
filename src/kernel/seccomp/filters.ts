/**
 * `createSeccompFilters`: the default profile per capability set and compiled programs, each made once and kept, so that a container's start pays
 * for neither. A daemon sees a handful of capability sets in its life.
 */

import type { SeccompSpec } from '#oci'
import { compileSeccomp } from './compile.ts'
import type { Machine } from './architectures.ts'
import { resolveProfile, type Profile } from './profile.ts'

export interface SeccompFilters {
  /** The default profile for a bounding set; the same object for the same set. undefined: the daemon's profile is empty. */
  readonly defaultFor: (capabilities: readonly string[]) => SeccompSpec | undefined
  /** Array of `struct sock_filter`. Remembered by the spec's identity; specs from `defaultFor` are therefore compiled once. */
  readonly program: (spec: SeccompSpec) => Buffer
}

/** `profile`: DEFAULT_PROFILE or what the daemon's `seccomp-profile` option names. */
export function createSeccompFilters(deps: { profile: Profile; machine: Machine; kernel: string }): SeccompFilters {
  const specs = new Map<string, SeccompSpec | undefined>()
  const programs = new WeakMap<SeccompSpec, Buffer>()
  return {
    defaultFor(capabilities) {
      const key = capabilities.toSorted().join(' ')
      if (!specs.has(key)) {
        specs.set(key, resolveProfile(deps.profile, { capabilities, machine: deps.machine, kernel: deps.kernel }))
      }
      return specs.get(key)
    },
    program(spec) {
      const known = programs.get(spec)
      if (known !== undefined) return known
      const program = compileSeccomp(spec, deps.machine)
      programs.set(spec, program)
      return program
    },
  }
}
