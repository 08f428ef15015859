/** How many processes and threads. Source: cgroup-v2.rst "PID Interface Files"; v1 has the same file. */

import type { ResourcesSpec } from '#oci'
import { orMax, type Setting } from './setting.ts'

/** 0: not asked for; negative: no limit. */
export function pids(limit: ResourcesSpec['pids']): Setting[] {
  if (limit === undefined || limit.limit === 0) return []
  return [{ file: 'pids.max', value: orMax(Math.max(limit.limit, -1)) }]
}
