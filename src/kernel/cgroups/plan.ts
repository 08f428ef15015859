/**
 * `planCgroup`: the cgroup of one container as data for the launch. Pure.
 *
 * Signature: planCgroup(layout: CgroupLayout, request: { parent: string; id: string; resources: ResourcesSpec }): CgroupPlan
 */

import { join } from 'node:path'
import type { ResourcesSpec } from '#oci'
import type { CgroupPlan } from '../plans.ts'
import { blkioV1, ioV2 } from './blkio.ts'
import { cpuV1, cpuV2 } from './cpu.ts'
import { cpuset } from './cpuset.ts'
import { deviceProgram } from './device-program.ts'
import { devicesV1, effectiveAccess } from './devices.ts'
import { directoriesOf, locateCgroup, type CgroupLayout, type V1Controller } from './layout.ts'
import { memoryV1, memoryV2 } from './memory.ts'
import { pids } from './pids.ts'
import type { Setting } from './setting.ts'

export interface CgroupRequest {
  /** Path of the parent below each hierarchy's mount, e.g. `/gantry`; made ready by `prepareCgroupParent` before the first start. */
  parent: string
  id: string
  resources: ResourcesSpec
}

/** v1 values by the controller whose directory holds the file. */
export function settingsV1(resources: ResourcesSpec): Partial<Record<V1Controller, Setting[]>> {
  return {
    memory: memoryV1(resources.memory),
    cpu: cpuV1(resources.cpu),
    cpuset: cpuset(resources.cpu),
    pids: pids(resources.pids),
    blkio: blkioV1(resources.blockIO),
    devices: devicesV1(resources.devices),
  }
}

/** v2 values; devices are a program there, see `device-program.ts`. */
export function settingsV2(resources: ResourcesSpec): Setting[] {
  return [
    ...memoryV2(resources.memory),
    ...cpuV2(resources.cpu),
    ...cpuset(resources.cpu),
    ...pids(resources.pids),
    ...ioV2(resources.blockIO),
  ]
}

/**
 * A limit whose controller is not mounted is left out: the user was warned at create (`cgroupSupport`). Throws INVALID_ARGUMENT for
 * values that contradict each other.
 */
export function planCgroup(layout: CgroupLayout, request: CgroupRequest): CgroupPlan {
  const location = locateCgroup(layout, request)
  if (location.version === 2) {
    const access = effectiveAccess(request.resources.devices)
    const program = access === undefined ? undefined : deviceProgram(access)
    return {
      version: 2,
      directories: [location.directory],
      writes: writesIn(location.directory, settingsV2(request.resources)),
      join: [],
      into: location.directory,
      oomFile: join(location.directory, 'memory.events'),
      remove: [location.directory],
      ...(program !== undefined && { deviceProgram: program }),
    }
  }
  const settings = settingsV1(request.resources)
  const directories = directoriesOf(location)
  const writes = Object.entries(location.directories).flatMap(([controller, directory]) =>
    writesIn(directory, settings[controller as V1Controller] ?? []),
  )
  return {
    version: 1,
    directories,
    writes,
    join: directories.map((directory) => join(directory, 'tasks')),
    ...(location.directories.memory !== undefined && { oomFile: join(location.directories.memory, 'memory.oom_control') }),
    remove: directories,
  }
}

function writesIn(directory: string, settings: readonly Setting[]): CgroupPlan['writes'] {
  return settings.map(({ file, ...setting }) => ({ path: join(directory, file), ...setting }))
}
