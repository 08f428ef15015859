/** Which CPUs and memory nodes. Sources: cgroup-v1/cpusets.rst; cgroup-v2.rst "Cpuset Interface Files". Both versions name the files alike. */

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ResourcesSpec } from '#oci'
import type { Setting } from './setting.ts'

export function cpuset(cpu: ResourcesSpec['cpu']): Setting[] {
  const settings: Setting[] = []
  if (cpu?.cpus !== undefined && cpu.cpus !== '') settings.push({ file: 'cpuset.cpus', value: cpu.cpus })
  if (cpu?.mems !== undefined && cpu.mems !== '') settings.push({ file: 'cpuset.mems', value: cpu.mems })
  return settings
}

/**
 * v1: a new cpuset is empty, and an empty one cannot be joined (ENOSPC). Copies the parent's values into `directory` and makes its children do
 * that by themselves (cgroup.clone_children), so that nothing has to be copied when a container starts.
 */
export function inheritCpusetV1(directory: string, parent: string): void {
  for (const file of ['cpuset.cpus', 'cpuset.mems']) {
    if (readFileSync(join(directory, file), 'utf8').trim() === '') {
      writeFileSync(join(directory, file), readFileSync(join(parent, file), 'utf8').trim())
    }
  }
  writeFileSync(join(directory, 'cgroup.clone_children'), '1')
}
