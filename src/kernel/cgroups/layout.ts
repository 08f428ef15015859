/**
 * Which cgroup hierarchies this machine has and where they are mounted.
 *
 * Signatures:
 *   detectCgroupLayout(mountinfo?: string): CgroupLayout
 *   locateCgroup(layout, { parent, id }): CgroupLocation
 */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseMountinfo } from '../mountinfo.ts'

/** The v1 controllers Gantry uses; `systemd` is the named hierarchy without limits in which systemd keeps its units. */
export const V1_CONTROLLERS = ['cpu', 'cpuacct', 'cpuset', 'memory', 'blkio', 'devices', 'freezer', 'pids', 'systemd'] as const
export type V1Controller = (typeof V1_CONTROLLERS)[number]

/** The v2 controllers Gantry enables for its containers. */
export const V2_CONTROLLERS = ['cpuset', 'cpu', 'io', 'memory', 'pids'] as const

export type CgroupLayout =
  | {
      version: 1
      /** Mount point per controller; controllers of one hierarchy (`cpu,cpuacct`) share theirs. Absent: not mounted. */
      mounts: Partial<Record<V1Controller, string>>
      /** Mount point of cgroup2 beside it (systemd's hybrid mode): no limits are set there. */
      unified?: string
    }
  | { version: 2; root: string }

/** Where one container's cgroups are. */
export type CgroupLocation = { version: 1; directories: Partial<Record<V1Controller, string>> } | { version: 2; directory: string }

/**
 * Reads `/proc/self/mountinfo` (proc_pid_mountinfo(5)). Limits are set through v1 as soon as one v1 controller is mounted, because a controller
 * can only be in one place; cgroup2 alone is version 2. The first mount of a hierarchy counts. Paths below a mount point start at the mount, whatever
 * part of the hierarchy that shows: inside a container that is the container's own part, which is just where nested containers belong.
 */
export function detectCgroupLayout(mountinfo: string = readFileSync('/proc/self/mountinfo', 'utf8')): CgroupLayout {
  const mounts: Partial<Record<V1Controller, string>> = {}
  let unified: string | undefined
  for (const { type, mountPoint, superOptions } of parseMountinfo(mountinfo)) {
    if (type === 'cgroup2') unified ??= mountPoint
    if (type !== 'cgroup') continue
    for (const option of superOptions) {
      const controller = option === 'name=systemd' ? 'systemd' : option
      if (isV1Controller(controller)) mounts[controller] ??= mountPoint
    }
  }
  const limited = V1_CONTROLLERS.some((controller) => controller !== 'systemd' && mounts[controller] !== undefined)
  if (unified !== undefined && !limited) return { version: 2, root: unified }
  return { version: 1, mounts, ...(unified !== undefined && { unified }) }
}

/** `parent` is cleaned as an absolute path, so that `../..` cannot lead out of the hierarchy. */
export function locateCgroup(layout: CgroupLayout, where: { parent: string; id: string }): CgroupLocation {
  const path = join('/', where.parent, where.id)
  if (layout.version === 2) return { version: 2, directory: join(layout.root, path) }
  const directories: Partial<Record<V1Controller, string>> = {}
  for (const controller of V1_CONTROLLERS) {
    const mount = layout.mounts[controller]
    // Both are clean, and this is done for each start.
    if (mount !== undefined) directories[controller] = mount + path
  }
  return { version: 1, directories }
}

/** Every directory of a location once, also where controllers share a hierarchy. */
export function directoriesOf(location: CgroupLocation): string[] {
  if (location.version === 2) return [location.directory]
  return [...new Set(Object.values(location.directories))]
}

function isV1Controller(name: string): name is V1Controller {
  return (V1_CONTROLLERS as readonly string[]).includes(name)
}
