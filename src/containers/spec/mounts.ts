/** The whole mount list of a container, in the order the mounts are made. Source: moby daemon/oci_linux.go, WithMounts. */

import { posix } from 'node:path'
import { invalidArgument } from '#errors'
import type { IdMapping, LinuxSpec, MountSpec } from '#oci'
import { parseIdMap, type IdRange } from '#volumes'
import type { Container, MountPoint } from '../types.ts'
import { defaultMounts } from './default-mounts.ts'
import { namespaceMode } from './namespaces.ts'
import type { HostFacts, SpecInput } from './spec-input.ts'
import { tmpfsData, tmpfsOptions } from './tmpfs-options.ts'

/** Stay writable under a read-only root. */
const WRITABLE_UNDER_READONLY_ROOT = new Set(['/proc', '/dev/pts', '/dev/shm', '/dev/mqueue', '/dev'])

export interface PlannedMounts {
  mounts: MountSpec[]
  rootfsPropagation?: NonNullable<LinuxSpec['rootfsPropagation']>
}

/** `writableCgroups`: `/sys/fs/cgroup` is not read-only. Throws INVALID_ARGUMENT for options and propagations that cannot be. */
export function planMountList(input: SpecInput, options: { writableCgroups: boolean }): PlannedMounts {
  const { hostConfig } = input.container
  const own = ownMounts(input)
  const taken = new Set(own.map(({ destination }) => destination))
  const system = defaultMounts().filter(({ destination }) => {
    if (taken.has(destination)) return false
    if (taken.has('/dev') && destination.startsWith('/dev/')) return false
    return destination !== '/dev/shm' || hostConfig.ipcMode !== 'none'
  })
  for (const mount of system) {
    if (mount.destination === '/dev/shm') mount.options.push(`size=${hostConfig.shmSize}`)
    if (hostConfig.privileged && mount.destination === '/sys') clearReadOnly(mount)
    if ((hostConfig.privileged || options.writableCgroups) && mount.type === 'cgroup') clearReadOnly(mount)
    if (hostConfig.readonlyRootfs && !hostConfig.privileged) addReadOnly(mount)
  }
  const rootfsPropagation = rootPropagation(own.map(({ point }) => point))
  return { mounts: [...system, ...own.map(({ spec }) => spec)], ...(rootfsPropagation !== undefined && { rootfsPropagation }) }
}

interface OwnMount {
  destination: string
  spec: MountSpec
  /** Propagation counts for these only. */
  point?: Pick<MountPoint, 'propagation'>
}

/** Volumes, binds, tmpfs, the network files and a shared /dev/shm; parents before children, else in the order given. */
function ownMounts(input: SpecInput): OwnMount[] {
  const { container, host } = input
  const list: OwnMount[] = container.mounts.map((point) => ownMount(point, host))
  for (const [path, data] of Object.entries(container.hostConfig.tmpfs)) {
    const destination = posix.normalize(path)
    list.push({ destination, spec: { destination, type: 'tmpfs', source: 'tmpfs', options: tmpfsOptions(data) } })
  }
  list.push(...networkFiles(container))
  const shm = sharedShm(input)
  if (shm !== undefined) list.push(shm)
  const known = new Set<string>()
  const unique = list.filter(({ destination }) => !known.has(destination) && known.add(destination))
  return unique.sort((a, b) => depth(a.destination) - depth(b.destination))
}

function ownMount(point: MountPoint, host: HostFacts): OwnMount {
  const { destination } = point
  if (point.type === 'tmpfs') {
    const data = tmpfsData(point.spec.tmpfs, point.spec.readOnly)
    return { destination, spec: { destination, type: 'tmpfs', source: 'tmpfs', options: tmpfsOptions(data) } }
  }
  verifyPropagation(point, host)
  const options = [point.spec.bind?.nonRecursive === true ? 'bind' : 'rbind']
  if (!point.rw) options.push(readOnlyOption(point, host))
  if (point.propagation !== '') options.push(point.propagation)
  const subpath = point.spec.volume?.subpath || point.spec.image?.subpath || ''
  const spec = { destination, type: 'bind', source: point.source, options, ...(subpath !== '' && { subpath }), ...idMappings(point) }
  return { destination, point, spec }
}

/** The file system's ids come first in the specification, those that the container sees second. */
function idMappings({ idmap = '' }: MountPoint): Pick<MountSpec, 'uidMappings' | 'gidMappings'> {
  if (idmap === '') return {}
  const toSpec = (ranges: IdRange[]): IdMapping[] =>
    ranges.map(({ container, host, size }) => ({ containerID: host, hostID: container, size }))
  const { uids, gids } = parseIdMap(idmap)
  return { uidMappings: toSpec(uids), gidMappings: toSpec(gids) }
}

/** Read-only reaches mounts below the source where the kernel can do that, since Docker 25. */
function readOnlyOption(point: MountPoint, host: HostFacts): 'ro' | 'rro' {
  const { readOnlyNonRecursive = false, readOnlyForceRecursive = false } = point.spec.bind ?? {}
  if (readOnlyNonRecursive && readOnlyForceRecursive) {
    throw invalidArgument('mount options conflict: ReadOnlyNonRecursive && ReadOnlyForceRecursive')
  }
  if (readOnlyForceRecursive && !host.recursiveReadOnly) throw invalidArgument('rro is not supported: requires kernel >= 5.12')
  return host.recursiveReadOnly && !readOnlyNonRecursive && point.spec.bind?.nonRecursive !== true ? 'rro' : 'ro'
}

/** A mount of the host's that is private can give nothing to a shared one: refused rather than silently private. */
function verifyPropagation({ source, propagation }: MountPoint, host: HostFacts): void {
  const wanted = propagation.replace(/^r/, '')
  if (wanted !== 'shared' && wanted !== 'slave') return
  const { mountPoint, propagation: actual } = host.propagationOf(source)
  if (wanted === 'shared' && actual !== 'shared') {
    throw invalidArgument(`path ${source} is mounted on ${mountPoint} but it is not a shared mount`)
  }
  if (wanted === 'slave' && actual === 'private') {
    throw invalidArgument(`path ${source} is mounted on ${mountPoint} but it is not a shared or slave mount`)
  }
}

/** The container's root must let through what its mounts are to receive or send. */
function rootPropagation(points: readonly OwnMount['point'][]): LinuxSpec['rootfsPropagation'] {
  const kinds = points.map((point) => point?.propagation.replace(/^r/, ''))
  if (kinds.includes('shared')) return 'shared'
  return kinds.includes('slave') ? 'slave' : undefined
}

/** Docker's own /etc/hosts, hostname and resolv.conf, unless the user mounts something there. Writable, so that a program may edit its own. */
function networkFiles(container: SpecInput['container']): OwnMount[] {
  const readOnly = container.hostConfig.readonlyRootfs
  const files = [
    { destination: '/etc/resolv.conf', source: container.resolvConfPath },
    { destination: '/etc/hostname', source: container.hostnamePath },
    { destination: '/etc/hosts', source: container.hostsPath },
  ]
  return files
    .filter(({ source }) => source !== '')
    .map(({ destination, source }) => ({
      destination,
      spec: { destination, type: 'bind', source, options: ['rbind', ...(readOnly ? ['ro'] : []), 'rprivate'] },
    }))
}

/** private and none have a /dev/shm of their own or none at all; the others share a directory of the host. */
function sharedShm({ container, shm }: SpecInput): OwnMount | undefined {
  const { ipcMode } = container.hostConfig
  if (shm === undefined || (ipcMode !== 'shareable' && namespaceMode(ipcMode).kind === 'new')) return undefined
  const destination = '/dev/shm'
  return { destination, spec: { destination, type: 'bind', source: shm, options: ['rbind', 'rprivate'] } }
}

function depth(path: Container['mounts'][number]['destination']): number {
  return posix.normalize(path).split('/').length
}

function clearReadOnly(mount: MountSpec): void {
  mount.options = mount.options.filter((option) => option !== 'ro')
}

function addReadOnly(mount: MountSpec): void {
  if (!WRITABLE_UNDER_READONLY_ROOT.has(mount.destination) && !mount.options.includes('ro')) mount.options.push('ro')
}
