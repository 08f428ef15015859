import { mkdtempSync, readSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createSystemCalls, type SystemCalls, syscallError } from './ffi/system-calls.ts'
import { ownDescriptor } from './own-descriptor.ts'
import type { OverlayPlan } from './plans.ts'
import type { Mounts } from './types.ts'

// include/uapi/linux/mount.h, include/uapi/linux/fcntl.h
const AT_FDCWD = -100
const AT_EMPTY_PATH = 0x1000
const FSOPEN_CLOEXEC = 1
const FSMOUNT_CLOEXEC = 1
const FSCONFIG_SET_FLAG = 0
const FSCONFIG_SET_STRING = 1
const FSCONFIG_CMD_CREATE = 6
const MOUNT_ATTR_RDONLY = 1
const OPEN_TREE_CLONE = 1
const OPEN_TREE_CLOEXEC = 0o2000000
const MS_RDONLY = 1
const MNT_DETACH = 2
const UMOUNT_NOFOLLOW = 8
const EINVAL = 22

/** Value of one fsconfig(2) string, the terminating NUL counted. */
const FSCONFIG_STRING_MAX = 256

/**
 * What distributions may have on by default (CONFIG_OVERLAY_FS_…), and a writable layer must not use: a renamed directory or a changed mode would
 * be a note in an extended attribute in place of the files, which no reader of the bare directory (diff, commit, another kernel) can follow.
 * All are known since Linux 4.19.
 */
const FEATURES_OFF = ['redirect_dir', 'metacopy', 'index'] as const

type Detached = Disposable & { fd: number; path: string }

/** {@link Mounts} on the running kernel. `system` is for tests. */
export function createMounts(system: SystemCalls = createSystemCalls()): Mounts {
  // Asked once: each refusal is a line in the kernel's log.
  let oldKernel = false
  return {
    mount(source, target, type, flags, data) {
      system.call('mount', orNull(source), target, orNull(type), flags, orNull(data))
    },
    unmount(target, options) {
      // Never through a link: a container may have swapped the directory for one.
      system.call('umount2', target, UMOUNT_NOFOLLOW | (options?.detach === true ? MNT_DETACH : 0))
    },
    overlay(plan) {
      const [only] = plan.lower
      if (only === undefined) throw syscallError('fsmount', EINVAL, ['overlay'], 'no lower directory')
      // overlayfs refuses one lower directory alone; as in containerd it is then shown as it is.
      if (plan.upper === '' && plan.lower.length === 1) return cloneReadOnly(system, resolve(plan.cwd, only))
      const absolute = absolutePaths(plan)
      const mounted = oldKernel ? undefined : mountDetached(system, absolute)
      if (mounted !== undefined) return mounted
      const detour = mountThenDetach(system, absolute)
      if (fits(absolute)) oldKernel = true
      return detour
    },
  }
}

/** The same overlay without need of a working directory: chdir would move every thread of the daemon. */
function absolutePaths(plan: OverlayPlan): OverlayPlan {
  const absolute = (path: string): string => (path === '' ? '' : resolve(plan.cwd, path))
  return { ...plan, lower: plan.lower.map(absolute), upper: absolute(plan.upper), work: absolute(plan.work) }
}

/** A detached bind of `path`, read-only. */
function cloneReadOnly(system: SystemCalls, path: string): Detached {
  const tree = detached(system.call('open_tree', AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC))
  const attributes = Buffer.alloc(32) // struct mount_attr: u64 attr_set, attr_clr, propagation, userns_fd
  attributes.writeBigUInt64LE(BigInt(MOUNT_ATTR_RDONLY), 0)
  const result = system.attempt('mount_setattr', tree.fd, '', AT_EMPTY_PATH, attributes, attributes.length)
  if (result >= 0) return tree
  tree[Symbol.dispose]()
  throw syscallError('mount_setattr', -result, [path])
}

function fits(plan: OverlayPlan): boolean {
  return [...plan.lower, plan.upper, plan.work].every((path) => Buffer.byteLength(path) < FSCONFIG_STRING_MAX)
}

/**
 * Builds the overlay by the mount API; undefined where a path is too long for it or `lowerdir+` is unknown: before Linux 6.7, and before
 * 6.5 not even refused until the end, as the parameters were only collected.
 */
function mountDetached(system: SystemCalls, plan: OverlayPlan): Detached | undefined {
  if (!fits(plan)) return undefined
  using context = ownDescriptor(system.call('fsopen', 'overlay', FSOPEN_CLOEXEC))
  for (const [index, path] of plan.lower.entries()) {
    const result = system.attempt('fsconfig', context.fd, FSCONFIG_SET_STRING, 'lowerdir+', path, 0)
    if (result === -EINVAL && index === 0) return undefined
    if (result < 0) throw syscallError('fsconfig', -result, ['lowerdir+', path], readLog(context.fd))
  }
  const configure = (command: number, key: string | null, value: string | null): void => {
    const result = system.attempt('fsconfig', context.fd, command, key, value, 0)
    if (result < 0) throw syscallError('fsconfig', -result, key === null ? ['overlay'] : [key, value ?? ''], readLog(context.fd))
  }
  if (plan.upper !== '') {
    configure(FSCONFIG_SET_STRING, 'upperdir', plan.upper)
    configure(FSCONFIG_SET_STRING, 'workdir', plan.work)
    for (const feature of FEATURES_OFF) configure(FSCONFIG_SET_STRING, feature, 'off')
    if (plan.volatile === true) configure(FSCONFIG_SET_FLAG, 'volatile', null)
  }
  const created = system.attempt('fsconfig', context.fd, FSCONFIG_CMD_CREATE, null, null, 0)
  if (created === -EINVAL) return undefined
  if (created < 0) throw syscallError('fsconfig', -created, ['overlay'], readLog(context.fd))
  return detached(system.call('fsmount', context.fd, FSMOUNT_CLOEXEC, plan.upper === '' ? MOUNT_ATTR_RDONLY : 0))
}

/** The same for older kernels: an ordinary mount on an empty directory, cloned into a descriptor and taken away again. */
function mountThenDetach(system: SystemCalls, plan: OverlayPlan): Detached {
  const target = mkdtempSync(join(tmpdir(), 'gantry-overlay-'))
  try {
    system.call('mount', 'overlay', target, 'overlay', plan.upper === '' ? MS_RDONLY : 0, overlayOptions(plan))
    try {
      return detached(system.call('open_tree', AT_FDCWD, target, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC))
    } finally {
      system.call('umount2', target, MNT_DETACH | UMOUNT_NOFOLLOW)
    }
  } finally {
    rmdirSync(target)
  }
}

/**
 * The option string of mount(2) for an overlay; at most a page, which is why launch plans use paths relative to `cwd`.
 * overlayfs.rst: a colon or backslash in a lower path is escaped by a backslash, and a comma ends an option unless escaped likewise.
 */
export function overlayOptions(plan: OverlayPlan): string {
  const options = [`lowerdir=${plan.lower.map((path) => path.replace(/[\\:,]/g, '\\$&')).join(':')}`]
  if (plan.upper !== '') {
    options.push(`upperdir=${plan.upper.replace(/[\\,]/g, '\\$&')}`, `workdir=${plan.work.replace(/[\\,]/g, '\\$&')}`)
    options.push(...FEATURES_OFF.map((feature) => `${feature}=off`))
    if (plan.volatile === true) options.push('volatile')
  }
  return options.join(',')
}

/** What the kernel wrote about a failed configuration, e.g. `overlay: workdir and upperdir must reside under the same mount`. */
function readLog(contextFd: number): string {
  const line = Buffer.alloc(4096)
  try {
    return line
      .toString('utf8', 0, readSync(contextFd, line))
      .replace(/^[a-z] /, '')
      .trim()
  } catch {
    return '' // ENODATA: nothing was logged
  }
}

function detached(fd: number): Detached {
  return Object.assign(ownDescriptor(fd), { path: `/proc/self/fd/${fd}` })
}

function orNull(text: string): string | null {
  return text === '' ? null : text
}
