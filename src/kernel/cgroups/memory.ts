/** Memory limits. Sources: cgroup-v1/memory.rst; cgroup-v2.rst "Memory Interface Files"; runtime-spec v1.2.1 config-linux.md#memory. */

import { invalidArgument } from '#errors'
import type { ResourcesSpec } from '#oci'
import { orMax, type Setting } from './setting.ts'

type Memory = NonNullable<ResourcesSpec['memory']>

/** `limit` before `memsw`: a memory+swap limit below the memory limit is refused. A change that shrinks needs the other order, see `update.ts`. */
export function memoryV1(memory: Memory | undefined): Setting[] {
  if (memory === undefined) return []
  const settings: Setting[] = []
  const limit = memory.limit ?? 0
  // Unlimited memory and a swap limit nobody asked for: the old memsw limit would still cap both.
  const swap = limit === -1 && (memory.swap ?? 0) === 0 ? -1 : (memory.swap ?? 0)
  if (limit !== 0) settings.push({ file: 'memory.limit_in_bytes', value: String(limit) })
  // Absent without CONFIG_MEMCG_SWAP; "Memory limited without swap" was said when the container was made.
  if (swap !== 0)
    settings.push({ file: 'memory.memsw.limit_in_bytes', value: String(swap), ...(swap === -1 && { optional: true as const }) })
  if ((memory.reservation ?? 0) !== 0) settings.push({ file: 'memory.soft_limit_in_bytes', value: String(memory.reservation) })
  if (memory.disableOOMKiller === true) settings.push({ file: 'memory.oom_control', value: '1' })
  if (memory.swappiness !== undefined) settings.push({ file: 'memory.swappiness', value: String(memory.swappiness) })
  return settings
}

/** `memory.swap.max` counts swap alone, the OCI field memory plus swap. Swappiness and disabling the OOM killer do not exist in v2. */
export function memoryV2(memory: Memory | undefined): Setting[] {
  if (memory === undefined) return []
  const settings: Setting[] = []
  const limit = memory.limit ?? 0
  if (limit !== 0) settings.push({ file: 'memory.max', value: orMax(limit) })
  const swap = swapAlone(memory.swap ?? 0, limit)
  // Without swap support in the kernel there is no file, and neither "none" nor "no limit" needs one.
  if (swap !== undefined)
    settings.push({ file: 'memory.swap.max', value: swap, ...((swap === 'max' || swap === '0') && { optional: true as const }) })
  if ((memory.reservation ?? 0) !== 0) settings.push({ file: 'memory.low', value: orMax(memory.reservation ?? 0) })
  return settings
}

function swapAlone(swap: number, limit: number): string | undefined {
  if (swap === -1 || (limit === -1 && swap === 0)) return 'max'
  if (swap === 0) return undefined
  if (limit <= 0) throw invalidArgument('unable to set swap limit without memory limit')
  if (swap < limit) throw invalidArgument('memory+swap limit should be >= memory limit')
  return String(swap - limit)
}
