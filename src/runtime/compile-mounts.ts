import { dirname, join, posix } from 'node:path'
import { invalidArgument } from '#errors'
import { overlayOptions, type CgroupPlan, type OverlayPlan } from '#kernel'
import type { DeviceSpec, MountSpec, RuntimeSpec } from '#oci'
import { MS, parseMountOptions } from './mount-options.ts'
import type { PlanWriter } from './plan-writer.ts'
import { MOUNT_HOW } from './protocol.ts'
import type { HoldSpec } from './types.ts'

/** mount(2) copies one page of options, with their NUL. */
const MAX_OPTIONS = 4095

/** Devices every container has. Source: runtime-spec config-linux.md, "Default Devices"; /dev/console is the terminal's affair. */
const DEFAULT_DEVICES: DeviceSpec[] = [
  { type: 'c', path: '/dev/null', major: 1, minor: 3 },
  { type: 'c', path: '/dev/random', major: 1, minor: 8 },
  { type: 'c', path: '/dev/full', major: 1, minor: 7 },
  { type: 'c', path: '/dev/tty', major: 5, minor: 0 },
  { type: 'c', path: '/dev/zero', major: 1, minor: 5 },
  { type: 'c', path: '/dev/urandom', major: 1, minor: 9 },
]

const DEV_LINKS: [path: string, target: string][] = [
  ['/dev/fd', '/proc/self/fd'],
  ['/dev/stdin', '/proc/self/fd/0'],
  ['/dev/stdout', '/proc/self/fd/1'],
  ['/dev/stderr', '/proc/self/fd/2'],
  ['/dev/ptmx', 'pts/ptmx'],
]

const ON_HOST = { cwd: '', source: '', type: '', flags: 0, data: '' }

const FILE_TYPES: Record<DeviceSpec['type'], number> = { c: 0o020000, u: 0o020000, b: 0o060000, p: 0o010000 }

/** Paths of user namespaces by the mapping that mounts are to have; see `mappingKey`. */
export type UserNamespaces = ReadonlyMap<string, string>

/** Mappings that are equal share a namespace. */
export function mappingKey({ uidMappings = [], gidMappings = [] }: Pick<MountSpec, 'uidMappings' | 'gidMappings'>): string {
  return uidMappings.length + gidMappings.length === 0 ? '' : JSON.stringify([uidMappings, gidMappings])
}

/** Mounts the root over the state directory, in the child's mount namespace, and makes it the place where further paths are resolved. */
export function addRoot(plan: PlanWriter, { spec, stateDir, rootfs, overlays = [] }: Omit<HoldSpec, 'id'>): void {
  const propagation = spec.linux.rootfsPropagation ?? 'private'
  const flags = (propagation === 'unbindable' ? MS.private : MS[propagation]) | MS.rec
  plan.add('mount-host', '/', { ...ON_HOST, target: '/', flags }, { as: 'propagation' })
  // Under a shared mount the root would appear on the host as well.
  if (propagation === 'shared') plan.add('private-parent', stateDir, { path: stateDir })
  for (const { target, overlay } of overlays) {
    if (propagation === 'shared') plan.add('private-parent', target, { path: target })
    addOverlay(plan, target, overlay, overlay.upper === '' ? MS.rdonly : 0)
  }
  if ('overlay' in rootfs) {
    addOverlay(plan, stateDir, rootfs.overlay, 0)
  } else {
    const bind = { ...ON_HOST, source: rootfs.directory, target: stateDir, flags: MS.bind | MS.rec }
    plan.add('mount-host', rootfs.directory, bind, { as: 'bind-root' })
  }
  plan.add('enter-root', spec.root.path, { path: stateDir })
}

function addOverlay(plan: PlanWriter, target: string, overlay: OverlayPlan, flags: number): void {
  const [only] = overlay.lower
  // overlayfs refuses one lower directory alone: then that is what there is to see.
  const mount =
    overlay.upper === '' && only !== undefined && overlay.lower.length === 1
      ? { ...ON_HOST, cwd: overlay.cwd, source: only, target, flags: MS.bind }
      : { ...ON_HOST, cwd: overlay.cwd, source: 'overlay', type: 'overlay', target, flags, data: fittingOptions(overlay) }
  plan.add('mount-host', 'overlay', mount, { as: 'overlay' })
}

function fittingOptions(overlay: OverlayPlan): string {
  const text = overlayOptions(overlay)
  if (Buffer.byteLength(text) > MAX_OPTIONS)
    throw invalidArgument(`Cannot mount overlay: ${overlay.lower.length} layers do not fit into one page of options`)
  return text
}

/** All mounts of the spec in its order. `cgroup` undefined: nothing of type cgroup may be among them. */
export function addMounts(
  plan: PlanWriter,
  spec: RuntimeSpec,
  cgroup: CgroupPlan | undefined,
  userNamespaces: UserNamespaces = new Map(),
): void {
  for (const mount of spec.mounts) {
    const target = posix.resolve('/', mount.destination)
    const options = parseMountOptions(mount.options, target)
    if (options.bind) {
      const how = (options.recursive ? MOUNT_HOW.recursive : 0) | (options.recursiveAttributes ? MOUNT_HOW.recursiveAttributes : 0)
      const { set, clear, propagation } = options
      const { source, subpath = '' } = mount
      const idmap = userNamespaces.get(mappingKey(mount)) ?? ''
      const bind = { source, subpath, target, set, clear, propagation, how, idmap }
      // A refusal says no more than "invalid argument": which kind of bind it was is all there is to tell by.
      plan.add('bind', `${join(source, subpath)} on ${target}`, bind, idmap === '' ? {} : { as: 'idmapped-bind' })
    } else if (mount.type === 'cgroup' || mount.type === 'cgroup2') {
      if (cgroup !== undefined) addCgroupMount(plan, mount, target, cgroup, spec)
    } else {
      const { flags, data, propagation } = options
      plan.add('mount', `${mount.type} on ${target}`, {
        type: mount.type,
        source: mount.source,
        target,
        flags,
        data,
        propagation,
        how: howOf(mount, data),
      })
    }
  }
}

function howOf(mount: MountSpec, data: string): number {
  // Later steps trust what lies below /proc and /sys: an image that makes them links does not get to choose the place.
  if (mount.type === 'proc' || mount.type === 'sysfs') return MOUNT_HOW.noSymlinks
  return mount.type === 'tmpfs' && !/(^|,)mode=/.test(data) ? MOUNT_HOW.keepMode : 0
}

/**
 * v2: one file system, which shows the cgroup namespace's root; without a namespace of its own a container sees the host's tree.
 * v1: a tmpfs with one bind of the container's own directory per hierarchy.
 */
function addCgroupMount(plan: PlanWriter, mount: MountSpec, target: string, cgroup: CgroupPlan, spec: RuntimeSpec): void {
  const { flags, set, clear, propagation } = parseMountOptions(mount.options, target)
  const subject = `cgroup on ${target}`
  if (cgroup.version === 2) {
    const own = spec.linux.namespaces.some((namespace) => namespace.type === 'cgroup')
    if (own)
      plan.add('mount', subject, { type: 'cgroup2', source: 'cgroup', target, flags, data: '', propagation, how: MOUNT_HOW.noSymlinks })
    else
      plan.add('bind', subject, {
        source: '/sys/fs/cgroup',
        subpath: '',
        idmap: '',
        target,
        set,
        clear,
        propagation,
        how: MOUNT_HOW.recursive | MOUNT_HOW.noSymlinks,
      })
    return
  }
  const bare = flags & ~MS.rdonly
  plan.add('mount', subject, {
    type: 'tmpfs',
    source: 'tmpfs',
    target,
    flags: bare,
    data: 'mode=755',
    propagation,
    how: MOUNT_HOW.noSymlinks,
  })
  for (const file of cgroup.join) {
    const source = dirname(file)
    const [, name] = /^\/sys\/fs\/cgroup\/([^/]+)\//.exec(file) ?? []
    if (name === undefined) continue
    plan.add('bind', `cgroup on ${join(target, name)}`, {
      source,
      subpath: '',
      idmap: '',
      target: join(target, name),
      set,
      clear,
      propagation,
      how: MOUNT_HOW.noSymlinks,
    })
    // Hierarchies that hold several controllers (cpu,cpuacct) are also reached by each one's name.
    const parts = name.split(',')
    for (const part of parts.length > 1 ? parts : []) plan.add('symlink', join(target, part), { target: name, path: join(target, part) })
  }
  if ((flags & MS.rdonly) !== 0) plan.add('readonly', target, { path: target })
}

/** Default devices, those of the spec, and the links that programs expect. */
export function addDevices(plan: PlanWriter, spec: RuntimeSpec): void {
  const devices = new Map(DEFAULT_DEVICES.map((device) => [device.path, device]))
  for (const device of spec.linux.devices ?? []) devices.set(device.path, device)
  for (const { path, type, major, minor, fileMode, uid, gid } of devices.values()) {
    const mode = FILE_TYPES[type] | ((fileMode ?? 0o666) & 0o7777)
    plan.add('mknod', path, { path, mode, major, minor, uid: uid ?? 0, gid: gid ?? 0 })
  }
  for (const [path, target] of DEV_LINKS) plan.add('symlink', path, { target, path })
}

/** What the program may not see or write, last: mount points have been made by then. */
export function addProtectedPaths(plan: PlanWriter, spec: RuntimeSpec): void {
  for (const path of spec.linux.readonlyPaths ?? []) plan.add('readonly', path, { path })
  for (const path of spec.linux.maskedPaths ?? []) plan.add('mask', path, { path })
  if (spec.root.readonly === true) plan.add('readonly-root', '/', {})
}
