/** Reads {@link HostFacts} from the machine. The only file here that looks outside; everything else is pure. */

import { existsSync, readdirSync, readFileSync, realpathSync, statSync, type Stats } from 'node:fs'
import { release } from 'node:os'
import { join } from 'node:path'
import { availableCapabilities, parseMountinfo } from '#kernel'
import { deviceOf } from '#lib'
import type { DeviceSpec } from '#oci'
import type { HostFacts } from './spec-input.ts'

/** Parts of /dev that a container has of its own, and the trees of other managers. Source: containerd pkg/oci/utils_unix.go. */
const NOT_FROM_HOST = new Set(['pts', 'shm', 'fd', 'mqueue', '.lxc', '.lxd-mounts', '.udev', 'console'])

const S_IFMT = 0o170000
const S_IFCHR = 0o020000
const S_IFBLK = 0o060000

/** Static facts are read once, now; devices and mounts at each question. Throws for a machine Gantry is not made for. */
export function probeHostFacts(): HostFacts {
  const machine = process.arch
  if (machine !== 'x64' && machine !== 'arm64') throw new Error(`Cannot run containers on machine "${machine}": x64 and arm64 are known`)
  const kernel = release()
  const capabilities = availableCapabilities(readFileSync('/proc/self/status', 'utf8'))
  const mayRaise = capabilities.includes('CAP_SYS_RESOURCE')
  return {
    machine,
    kernel,
    capabilities,
    apparmor: hasApparmor(),
    recursiveReadOnly: atLeast(kernel, 5, 12),
    thermalThrottlePaths: thermalThrottlePaths(),
    sysctlExists: (name) => existsSync(join('/proc/sys', name.replaceAll('.', '/'))),
    ...(!mayRaise && { hardLimits: parseHardLimits(readFileSync('/proc/self/limits', 'utf8')) }),
    devicesAt,
    allDevices: () => devicesBelow('/dev', '/dev', NOT_FROM_HOST),
    propagationOf: (path) => propagationIn(readFileSync('/proc/self/mountinfo', 'utf8'), realpathSync(path)),
  }
}

/** Docker's test: the module is there and switched on. */
function hasApparmor(): boolean {
  try {
    return existsSync('/sys/kernel/security/apparmor') && readFileSync('/sys/module/apparmor/parameters/enabled', 'utf8').startsWith('Y')
  } catch {
    return false
  }
}

function atLeast(kernel: string, major: number, minor: number): boolean {
  const [have = 0, below = 0] = kernel.split('.').map((part) => Number.parseInt(part, 10))
  return have > major || (have === major && below >= minor)
}

function thermalThrottlePaths(): string[] {
  const root = '/sys/devices/system/cpu'
  if (!existsSync(root)) return []
  return readdirSync(root)
    .filter((name) => /^cpu\d+$/.test(name))
    .map((name) => join(root, name, 'thermal_throttle'))
    .filter((path) => existsSync(path))
}

/** Rows of proc_pid_limits(5) whose names are not the limit's. */
const LIMIT_ROWS: Record<string, string> = {
  RLIMIT_CPU: 'Max cpu time',
  RLIMIT_FSIZE: 'Max file size',
  RLIMIT_DATA: 'Max data size',
  RLIMIT_STACK: 'Max stack size',
  RLIMIT_CORE: 'Max core file size',
  RLIMIT_RSS: 'Max resident set',
  RLIMIT_NPROC: 'Max processes',
  RLIMIT_NOFILE: 'Max open files',
  RLIMIT_MEMLOCK: 'Max locked memory',
  RLIMIT_AS: 'Max address space',
  RLIMIT_LOCKS: 'Max file locks',
  RLIMIT_SIGPENDING: 'Max pending signals',
  RLIMIT_MSGQUEUE: 'Max msgqueue size',
  RLIMIT_NICE: 'Max nice priority',
  RLIMIT_RTPRIO: 'Max realtime priority',
  RLIMIT_RTTIME: 'Max realtime timeout',
}

export function parseHardLimits(text: string): Record<string, number> {
  const limits: Record<string, number> = {}
  for (const [type, row] of Object.entries(LIMIT_ROWS)) {
    const hard = new RegExp(`^${row}\\s+\\S+\\s+(\\S+)`, 'm').exec(text)?.[1]
    if (hard !== undefined) limits[type] = hard === 'unlimited' ? Infinity : Number(hard)
  }
  return limits
}

function devicesAt(path: string): DeviceSpec[] | undefined {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat === undefined) return undefined
  const device = deviceSpec(stat, '')
  if (device !== undefined) return [device]
  if (!stat.isDirectory()) return []
  const root = realpathSync(path)
  return devicesBelow(root, '', new Set())
}

/** `shownAs`: what `root` is called in the result. Links are not followed: `/dev/stdin` and friends are no devices of the host. */
function devicesBelow(root: string, shownAs: string, skip: ReadonlySet<string>): DeviceSpec[] {
  return readdirSync(root, { withFileTypes: true })
    .filter(({ name }) => !skip.has(name))
    .flatMap((entry): DeviceSpec[] => {
      const shown = shownAs === '' ? entry.name : join(shownAs, entry.name)
      if (entry.isDirectory()) return devicesBelow(join(root, entry.name), shown, new Set())
      if (!entry.isCharacterDevice() && !entry.isBlockDevice()) return []
      // Devices come and go while we look.
      const stat = statSync(join(root, entry.name), { throwIfNoEntry: false })
      const device = stat === undefined ? undefined : deviceSpec(stat, shown)
      return device === undefined ? [] : [device]
    })
}

function deviceSpec(stat: Stats, path: string): DeviceSpec | undefined {
  const kind = stat.mode & S_IFMT
  if (kind !== S_IFCHR && kind !== S_IFBLK) return undefined
  return {
    type: kind === S_IFBLK ? 'b' : 'c',
    path,
    ...deviceOf({ rdev: BigInt(stat.rdev) }),
    fileMode: stat.mode & 0o777,
    uid: stat.uid,
    gid: stat.gid,
  }
}

/** The mount with the longest mount point above `path`; the last such line is the one on top. */
export function propagationIn(mountinfo: string, path: string): ReturnType<HostFacts['propagationOf']> {
  let best: ReturnType<HostFacts['propagationOf']> = { mountPoint: '/', propagation: 'private' }
  let length = 0
  for (const { mountPoint, optional } of parseMountinfo(mountinfo)) {
    const above = mountPoint === '/' || path === mountPoint || path.startsWith(`${mountPoint}/`)
    if (!above || mountPoint.length < length) continue
    length = mountPoint.length
    const shared = optional.some((field) => field.startsWith('shared:'))
    const slave = optional.some((field) => field.startsWith('master:'))
    best = { mountPoint, propagation: shared ? 'shared' : slave ? 'slave' : 'private' }
  }
  return best
}
