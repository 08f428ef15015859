import { dirname, join } from 'node:path'
import { invalidArgument, notImplemented } from '#errors'
import type { NamespaceType, RuntimeSpec } from '#oci'
import type { NetnsPlan } from '#kernel'
import { addDevices, addMounts, addProtectedPaths, addRoot, type UserNamespaces } from './compile-mounts.ts'
import { addIdentity, addLateFilter, addLimits, addProgram, addStdio } from './compile-process.ts'
import { hasCreateHooks } from './hooks/launch-hooks.ts'
import { numbers } from './numbers.ts'
import { encodeSocketAddress, SOCKET_TYPES } from './socket-address.ts'
import { PlanWriter, type Plan } from './plan-writer.ts'
import type { CompileSeccomp, HoldSpec, LaunchSpec } from './types.ts'

/** clone(2) flags. Source: linux/sched.h. */
export const CLONE: Record<NamespaceType, number> = {
  mount: 0x00020000,
  cgroup: 0x02000000,
  uts: 0x04000000,
  ipc: 0x08000000,
  user: 0x10000000,
  pid: 0x20000000,
  network: 0x40000000,
}

/**
 * Compiles a container's launch to a plan. Pure: the same spec gives the same bytes.
 * Throws INVALID_ARGUMENT for what contradicts itself, NOT_IMPLEMENTED for user namespaces and mount options without support.
 */
export function compileLaunch(launch: LaunchSpec, compileSeccomp: CompileSeccomp, userNamespaces?: UserNamespaces): Plan {
  const { spec } = launch
  const plan = new PlanWriter()
  addKept(plan, launch)
  addCgroup(plan, launch)
  if (launch.network.mode === 'new') addReservedPorts(plan, launch.network.reserve)
  addNamespaces(plan, launch)
  if (launch.network.mode === 'new') {
    for (const { bytes, pidOffsets } of launch.network.host)
      plan.add('netlink-host', 'network link', { bytes, pidOffsets: numbers(pidOffsets) })
  }

  addCgroupJoin(plan, launch.cgroup.join)
  addJoinedNamespaces(plan, launch)
  addRoot(plan, launch)
  addMounts(plan, spec, launch.cgroup, userNamespaces)
  if (!replacesDev(spec)) addDevices(plan, spec)
  if (launch.stdio.tty) {
    const { height, width } = spec.process.consoleSize ?? { height: 0, width: 0 }
    plan.add('terminal', '/dev/console', { height, width, console: replacesDev(spec) ? 0 : 1 })
  }
  plan.add('mkdir', spec.process.cwd, { path: spec.process.cwd, mode: 0o755 })
  addKernelSettings(plan, spec)
  // Hooks see the host's file systems, and may still write to a root that will be read-only.
  const hooked = hasCreateHooks(spec)
  if (!hooked) addProtectedPaths(plan, spec)
  addNetworkInside(plan, launch.network)
  addLimits(plan, launch.id, spec.process)
  if (hooked) {
    plan.add('wait-start', launch.id, {})
    addProtectedPaths(plan, spec)
    plan.add('pivot', spec.root.path, { propagation: 0 })
  } else {
    plan.add('pivot', spec.root.path, { propagation: 0 })
    plan.add('wait-start', launch.id, {})
  }
  addIdentity(plan, spec.process, spec.linux.seccomp, compileSeccomp)
  addLateFilter(plan, spec.process, spec.linux.seccomp, compileSeccomp)
  addProgram(plan, spec.process, { init: launch.init === true })
  return plan.finish()
}

/**
 * The same file system without a program: bind mounts over the rootfs, nothing that only a running container has (proc, sys, dev, tmpfs),
 * as in Docker's archive calls on a stopped container.
 */
export function compileHold(launch: HoldSpec, userNamespaces?: UserNamespaces): Plan {
  const plan = new PlanWriter()
  plan.add('state', launch.stateDir, { directory: launch.stateDir, title: `hold ${launch.id.slice(0, 12)}` })
  plan.add('stdio', 'standard streams', { flags: 0 })
  plan.add('namespaces', 'mount', { flags: CLONE.mount })
  addRoot(plan, launch)
  const binds = launch.spec.mounts.filter((mount) => isBind(mount.options))
  addMounts(plan, { ...launch.spec, mounts: binds }, undefined, userNamespaces)
  plan.add('pivot', launch.spec.root.path, { propagation: 0 })
  plan.add('hold', launch.id, {})
  return plan.finish()
}

/** A process that does nothing but be in a user namespace of its own, whose mapping the daemon writes. */
export function compileUserNamespace(id: string, stateDir: string): Plan {
  const plan = new PlanWriter()
  plan.add('state', stateDir, { directory: stateDir, title: `idmap ${id.slice(0, 12)}` })
  plan.add('stdio', 'standard streams', { flags: 0 })
  plan.add('namespaces', 'user', { flags: CLONE.user })
  plan.add('hold', id, {})
  return plan.finish()
}

function isBind(options: readonly string[]): boolean {
  return options.includes('bind') || options.includes('rbind')
}

/** The user has mounted a /dev of their own: nothing is made in it. */
function replacesDev(spec: RuntimeSpec): boolean {
  return spec.mounts.some((mount) => mount.destination === '/dev' && isBind(mount.options))
}

function addKept(plan: PlanWriter, launch: LaunchSpec): void {
  const { cgroup, stdio } = launch
  plan.add('state', launch.stateDir, { directory: launch.stateDir, title: launch.id.slice(0, 12) })
  addStdio(plan, stdio)
  if (stdio.log.driver === 'json-file') {
    const { path, maxSize, maxFile, extra } = stdio.log
    plan.add('log', path, { path, maxSize: BigInt(maxSize), maxFile: Math.max(1, maxFile), extra })
  }
  if (cgroup.oomFile !== undefined) plan.add('oom-file', cgroup.oomFile, { path: cgroup.oomFile })
  const ownPids = launch.spec.linux.namespaces.some((namespace) => namespace.type === 'pid' && namespace.path === undefined)
  const first = cgroup.into ?? (cgroup.join[0] === undefined ? undefined : dirname(cgroup.join[0]))
  if (!ownPids && first !== undefined) plan.add('kill-remaining', first, { path: join(first, 'cgroup.procs') })
  for (const path of cgroup.remove) plan.add('remove-cgroup', path, { path })
}

function addCgroup(plan: PlanWriter, { cgroup }: LaunchSpec): void {
  for (const path of cgroup.directories) plan.add('make-cgroup', path, { path })
  for (const { path, value, optional } of cgroup.writes) {
    plan.add('write-cgroup', `${value} to ${path}`, { path, value }, { optional: optional === true })
  }
}

function addReservedPorts(plan: PlanWriter, reserve: (NetnsPlan & { mode: 'new' })['reserve']): void {
  for (const { family, protocol, address, port } of reserve) {
    const host = family === 6 ? `[${address}]` : address
    plan.add('bind-port', `${host}:${port}/${protocol}`, { ...SOCKET_TYPES[protocol], address: encodeSocketAddress(family, address, port) })
  }
}

function addNamespaces(plan: PlanWriter, { spec, network, cgroup }: LaunchSpec): void {
  let flags = network.mode === 'new' ? CLONE.network : 0
  for (const { type, path } of spec.linux.namespaces) {
    if (type === 'user') throw notImplemented('user namespaces are not implemented')
    if (type === 'pid' && path !== undefined) plan.add('pid-namespace', path, { path })
    // The network's is the network plan's affair; the cgroup namespace is entered after the cgroup.
    if (path === undefined && type !== 'network' && type !== 'cgroup') flags |= CLONE[type]
  }
  if ((flags & CLONE.mount) === 0) throw invalidArgument('a container needs a mount namespace of its own')
  plan.add('namespaces', 'new namespaces', { flags })
  if (cgroup.into !== undefined) plan.add('into-cgroup', cgroup.into, { path: cgroup.into })
}

function addJoinedNamespaces(plan: PlanWriter, { spec, network }: LaunchSpec): void {
  for (const { type, path } of spec.linux.namespaces) {
    if (type === 'user' || type === 'network' || type === 'pid') continue
    if (path !== undefined) plan.add('join-namespace', path, { path, type: CLONE[type] })
    // Now that the process is in its cgroup: the namespace's root is where its maker sits.
    else if (type === 'cgroup') plan.add('unshare', 'cgroup namespace', { flags: CLONE.cgroup })
  }
  if (network.mode === 'join') plan.add('join-namespace', network.path, { path: network.path, type: CLONE.network })
}

function addKernelSettings(plan: PlanWriter, spec: RuntimeSpec): void {
  for (const as of ['hostname', 'domainname'] as const) {
    const value = spec[as]
    if (value !== undefined && value !== '') plan.add('write', value, { path: `/proc/sys/kernel/${as}`, value, refused: 0 }, { as })
  }
  for (const [key, value] of Object.entries(spec.linux.sysctl ?? {})) {
    const path = key.includes('/') ? key : key.replaceAll('.', '/')
    if (path.split('/').includes('..')) throw invalidArgument(`invalid sysctl: ${key}`)
    addSysctl(plan, path, value)
  }
}

function addNetworkInside(plan: PlanWriter, network: NetnsPlan): void {
  if (network.mode !== 'new') return
  if (network.host.length > 0) plan.add('wait-host', 'network link', {})
  for (const bytes of network.inside) plan.add('netlink', 'container network', { bytes })
  for (const { path, value } of network.sysctls) {
    addSysctl(plan, path.replace(/^\/proc\/sys\//, ''), value)
  }
}

function addSysctl(plan: PlanWriter, path: string, value: string): void {
  plan.add('write', `${path}=${value}`, { path: `/proc/sys/${path}`, value, refused: 0 }, { as: 'sysctl' })
}

/** v1: "0" is the writer itself; a pid written to cgroup.procs would wait for an RCU grace period. */
export function addCgroupJoin(plan: PlanWriter, files: readonly string[]): void {
  for (const path of files) plan.add('write', path, { path, value: '0', refused: 0 }, { as: 'join-cgroup' })
}
