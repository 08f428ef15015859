/** Limits this machine cannot enforce are left out, with Docker's words for it. Source: moby daemon/daemon_unix.go, verifyPlatformContainerResources. */

import { invalidArgument } from '#errors'
import type { CgroupSupport } from '#kernel'
import type { Resources } from '../configuration.ts'

/**
 * `limits` without what `support` lacks, and a warning for each thing left out. Throws INVALID_ARGUMENT where Docker refuses instead: `--cpus` without
 * the CFS scheduler, CPUs and memory nodes that are not there. Pure.
 */
export function discardUnsupported<T extends Resources>(limits: T, support: CgroupSupport): { limits: T; warnings: string[] } {
  const kept = { ...limits }
  const warnings: string[] = []
  /** `discard` runs when the limit is asked for and the machine lacks it. */
  const without = (asked: boolean, supported: boolean, warning: string, discard: () => void): void => {
    if (!asked || supported) return
    if (warning !== '') warnings.push(warning)
    discard()
  }

  memory(kept, support, without)
  if (kept.oomKillDisable === true && kept.memory === 0) {
    warnings.push(
      'OOM killer is disabled for the container, but no memory limit is set, this can result in the system running out of resources.',
    )
  }
  const wantsPids = (kept.pidsLimit ?? 0) > 0
  const pidsWarning = 'Your kernel does not support PIDs limit capabilities or the cgroup is not mounted. PIDs limit discarded.'
  without(kept.pidsLimit !== undefined, support.pids, wantsPids ? pidsWarning : '', () => delete kept.pidsLimit)
  cpu(kept, support, without)
  blkio(kept, support, without)
  return { limits: kept, warnings }
}

type Without = (asked: boolean, supported: boolean, warning: string, discard: () => void) => void

function memory(kept: Resources, support: CgroupSupport, without: Without): void {
  without(
    kept.memory > 0,
    support.memory,
    'Your kernel does not support memory limit capabilities or the cgroup is not mounted. Limitation discarded.',
    () => {
      kept.memory = 0
      kept.memorySwap = -1
    },
  )
  without(
    kept.memory > 0 && kept.memorySwap !== -1,
    support.swap,
    'Your kernel does not support swap limit capabilities or the cgroup is not mounted. Memory limited without swap.',
    () => (kept.memorySwap = -1),
  )
  without(
    kept.memorySwappiness !== undefined && kept.memorySwappiness !== -1,
    support.swappiness,
    'Your kernel does not support memory swappiness capabilities or the cgroup is not mounted. Memory swappiness discarded.',
    () => delete kept.memorySwappiness,
  )
  without(
    kept.memoryReservation > 0,
    support.memoryReservation,
    'Your kernel does not support memory soft limit capabilities or the cgroup is not mounted. Limitation discarded.',
    () => (kept.memoryReservation = 0),
  )
  // Nobody who wants the OOM killer on needs to hear that it cannot be switched off.
  const oomWarning = kept.oomKillDisable === true ? 'Your kernel does not support OomKillDisable. OomKillDisable discarded.' : ''
  without(kept.oomKillDisable !== undefined, support.oomKillDisable, oomWarning, () => delete kept.oomKillDisable)
}

function cpu(kept: Resources, support: CgroupSupport, without: Without): void {
  if (kept.nanoCpus > 0 && !support.cpuCfs) {
    throw invalidArgument('NanoCPUs can not be set, as your kernel does not support CPU CFS scheduler or the cgroup is not mounted')
  }
  without(
    kept.cpuShares > 0,
    support.cpuShares,
    'Your kernel does not support CPU shares or the cgroup is not mounted. Shares discarded.',
    () => (kept.cpuShares = 0),
  )
  without(
    kept.cpuPeriod !== 0 || kept.cpuQuota !== 0,
    support.cpuCfs,
    'Your kernel does not support CPU CFS scheduler. CPU period/quota discarded.',
    () => {
      kept.cpuPeriod = 0
      kept.cpuQuota = 0
    },
  )
  without(
    kept.cpusetCpus !== '' || kept.cpusetMems !== '',
    support.cpuset,
    'Your kernel does not support cpuset or the cgroup is not mounted. Cpuset discarded.',
    () => {
      kept.cpusetCpus = ''
      kept.cpusetMems = ''
    },
  )
  verifySet(kept.cpusetCpus, support.cpus, 'cpuset cpus', 'CPUs')
  verifySet(kept.cpusetMems, support.mems, 'cpuset mems', 'memory nodes')
}

function blkio(kept: Resources, support: CgroupSupport, without: Without): void {
  without(
    kept.blkioWeight > 0,
    support.blkioWeight,
    'Your kernel does not support Block I/O weight or the cgroup is not mounted. Weight discarded.',
    () => (kept.blkioWeight = 0),
  )
  without(
    kept.blkioWeightDevice.length > 0,
    support.blkioWeightDevice,
    'Your kernel does not support Block I/O weight_device or the cgroup is not mounted. Weight-device discarded.',
    () => (kept.blkioWeightDevice = []),
  )
  const throttles = [
    ['blkioDeviceReadBps', 'BPS Block I/O read limit', 'Block I/O BPS read limit'],
    ['blkioDeviceWriteBps', 'BPS Block I/O write limit', 'Block I/O BPS write limit'],
    ['blkioDeviceReadIOps', 'IOPS Block read limit', 'Block I/O IOPS read limit'],
    ['blkioDeviceWriteIOps', 'IOPS Block write limit', 'Block I/O IOPS write limit'],
  ] as const
  for (const [key, what, short] of throttles) {
    const warning = `Your kernel does not support ${what} or the cgroup is not mounted. ${short} discarded.`
    without(kept[key].length > 0, support.blkioThrottle, warning, () => (kept[key] = []))
  }
}

function verifySet(wanted: string, available: string, field: string, what: string): void {
  if (wanted === '') return
  const numbers = parseNumberList(wanted)
  if (numbers === undefined) throw invalidArgument(`Invalid value ${wanted} for ${field}`)
  const there = parseNumberList(available) ?? new Set()
  if (numbers.isSubsetOf(there)) return
  throw invalidArgument(`Requested ${what} are not available - requested ${wanted}, available: ${available}`)
}

/** No machine has more; a list like `0-4000000000` must not fill the memory. */
const HIGHEST_NUMBER = 8192

/** `0-3,7` as numbers; undefined when it is no such list. Source: cpuset(7), "List format". */
export function parseNumberList(text: string): Set<number> | undefined {
  const numbers = new Set<number>()
  for (const part of text.split(',')) {
    const match = /^(\d+)(?:-(\d+))?$/.exec(part.trim())
    if (match === null) return undefined
    const [first, last] = [Number(match[1]), Number(match[2] ?? match[1])]
    if (last < first || last > HIGHEST_NUMBER) return undefined
    for (let number = first; number <= last; number += 1) numbers.add(number)
  }
  return numbers
}
