/** `--ulimit`: resource limits by Docker's names. */

import { invalidArgument } from '#errors'
import { ULIMIT_NAMES } from '#lib'
import type { ProcessSpec } from '#oci'
import type { HostFacts } from './spec-input.ts'

type Ulimit = { name: string; soft: number; hard: number }
type Rlimit = NonNullable<ProcessSpec['rlimits']>[number]

/** RLIM_INFINITY on the wire and in the spec. */
const UNLIMITED = -1

/** Throws INVALID_ARGUMENT for an unknown name or a soft limit above the hard one. */
export function verifyUlimits(ulimits: readonly Ulimit[]): void {
  for (const { name, soft, hard } of ulimits) {
    if (!ULIMIT_NAMES.has(name.toLowerCase())) throw invalidArgument(`invalid ulimit type: ${name}`)
    if (above(soft, hard)) throw invalidArgument(`ulimit soft limit must be less than or equal to hard limit: ${soft} > ${hard}`)
  }
}

/**
 * The container's limits and, for names it does not set, the daemon's. Where the daemon may not raise hard limits (no CAP_SYS_RESOURCE) they are
 * cut to its own with a warning, because the container would not start otherwise. -1 is "no limit".
 */
export function rlimits(
  ulimits: readonly Ulimit[],
  defaults: readonly Ulimit[],
  hardLimits: HostFacts['hardLimits'],
): { rlimits: Rlimit[]; warnings: string[] } {
  const set = new Set(ulimits.map(({ name }) => name))
  const warnings: string[] = []
  const list = [...ulimits, ...defaults.filter(({ name }) => !set.has(name))].map(({ name, soft, hard }): Rlimit => {
    const type = `RLIMIT_${name.toUpperCase()}`
    const most = hardLimits?.[type] ?? Infinity
    const limit = most === Infinity ? UNLIMITED : most
    if (!above(hard, limit)) return { type, soft, hard }
    warnings.push(`Ulimit ${name} is lowered from ${hard} to ${limit}, the daemon's own hard limit, which it is not permitted to raise.`)
    return { type, soft: above(soft, limit) ? limit : soft, hard: limit }
  })
  return { rlimits: list, warnings }
}

function above(one: number, other: number): boolean {
  if (other === UNLIMITED) return false
  return one === UNLIMITED || one > other
}
