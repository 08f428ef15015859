/**
 * Which limits this machine can enforce, so that `create` can say what it leaves out.
 *
 * Signature: cgroupSupport(layout: CgroupLayout, parent: string): CgroupSupport
 */

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { locateCgroup, type CgroupLayout, type CgroupLocation } from './layout.ts'

export interface CgroupSupport {
  memory: boolean
  swap: boolean
  memoryReservation: boolean
  swappiness: boolean
  oomKillDisable: boolean
  pids: boolean
  cpuShares: boolean
  cpuCfs: boolean
  cpuRealtime: boolean
  cpuset: boolean
  /** Ranges as the kernel writes them, `0-3,7`; empty without cpuset. */
  cpus: string
  mems: string
  blkioWeight: boolean
  blkioWeightDevice: boolean
  blkioThrottle: boolean
  /** cgroup_namespaces(7), Linux 4.6. */
  cgroupNamespaces: boolean
}

/** Looks into the parent's directories (the roots lack most files), so `prepareCgroupParent` comes first. */
export function cgroupSupport(layout: CgroupLayout, parent: string): CgroupSupport {
  const location = locateCgroup(layout, { parent, id: '' })
  const limits = location.version === 1 ? supportV1(location) : supportV2(location.directory)
  return { ...limits, cgroupNamespaces: existsSync('/proc/self/ns/cgroup') }
}

function supportV1({ directories }: Extract<CgroupLocation, { version: 1 }>): Omit<CgroupSupport, 'cgroupNamespaces'> {
  const { memory, cpu, cpuset, blkio, pids } = directories
  const has = (directory: string | undefined, ...files: string[]): boolean =>
    directory !== undefined && files.some((file) => existsSync(join(directory, file)))
  return {
    memory: has(memory, 'memory.limit_in_bytes'),
    swap: has(memory, 'memory.memsw.limit_in_bytes'),
    memoryReservation: has(memory, 'memory.soft_limit_in_bytes'),
    swappiness: has(memory, 'memory.swappiness'),
    oomKillDisable: has(memory, 'memory.oom_control'),
    pids: has(pids, 'pids.max'),
    cpuShares: has(cpu, 'cpu.shares'),
    cpuCfs: has(cpu, 'cpu.cfs_quota_us'),
    cpuRealtime: has(cpu, 'cpu.rt_runtime_us'),
    cpuset: has(cpuset, 'cpuset.cpus'),
    cpus: text(cpuset, 'cpuset.cpus'),
    mems: text(cpuset, 'cpuset.mems'),
    blkioWeight: has(blkio, 'blkio.weight', 'blkio.bfq.weight'),
    blkioWeightDevice: has(blkio, 'blkio.weight_device', 'blkio.bfq.weight_device'),
    blkioThrottle: has(blkio, 'blkio.throttle.read_bps_device'),
  }
}

function supportV2(directory: string): Omit<CgroupSupport, 'cgroupNamespaces'> {
  const controllers = new Set(text(directory, 'cgroup.subtree_control').split(' '))
  return {
    memory: controllers.has('memory'),
    swap: controllers.has('memory') && existsSync(join(directory, 'memory.swap.max')),
    memoryReservation: controllers.has('memory'),
    // The kernel has neither in v2.
    swappiness: false,
    oomKillDisable: false,
    pids: controllers.has('pids'),
    cpuShares: controllers.has('cpu'),
    cpuCfs: controllers.has('cpu'),
    cpuRealtime: false,
    cpuset: controllers.has('cpuset'),
    cpus: text(directory, 'cpuset.cpus.effective'),
    mems: text(directory, 'cpuset.mems.effective'),
    blkioWeight: controllers.has('io'),
    blkioWeightDevice: controllers.has('io'),
    blkioThrottle: controllers.has('io'),
  }
}

function text(directory: string | undefined, file: string): string {
  const path = join(directory ?? '', file)
  return directory !== undefined && existsSync(path) ? readFileSync(path, 'utf8').trim() : ''
}
