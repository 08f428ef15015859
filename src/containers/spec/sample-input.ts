/** A container and a machine for the tests of this folder: everything at its default, changed by the caller. */

import { CAPABILITIES, createSeccompFilters, DEFAULT_PROFILE } from '#kernel'
import type { DeviceSpec } from '#oci'
import type { ContainerConfig, HostConfig, MountRequest } from '../configuration.ts'
import { EMPTY_HOST_CONFIG } from '../empty-host-config.ts'
import type { MountPoint } from '../types.ts'
import type { HostFacts, SpecInput } from './spec-input.ts'

const CONFIG: ContainerConfig = {
  hostname: 'box',
  domainname: '',
  user: '',
  attachStdin: false,
  attachStdout: true,
  attachStderr: true,
  exposedPorts: [],
  tty: false,
  openStdin: false,
  stdinOnce: false,
  env: [],
  cmd: ['sleep', '1'],
  entrypoint: null,
  argsEscaped: false,
  image: 'busybox',
  volumes: [],
  workingDir: '',
  networkDisabled: false,
  onBuild: null,
  labels: {},
  stopSignal: '',
  shell: null,
}

const HOST_CONFIG: HostConfig = {
  ...EMPTY_HOST_CONFIG,
  logConfig: { type: 'json-file', config: {} },
  cgroupnsMode: 'private',
  ipcMode: 'private',
  shmSize: 64 << 20,
  runtime: 'gantry',
}

export function sampleHostConfig(changes: Partial<HostConfig> = {}): HostConfig {
  return { ...HOST_CONFIG, ...changes }
}

function device(path: string, type: 'b' | 'c', major: number, minor: number): DeviceSpec {
  return { type, path, major, minor, fileMode: 0o660, uid: 0, gid: 6 }
}

/** Has /dev/sda (b 8:0), /dev/null (c 1:3), a directory /dev/snd of two, and a file /etc/hosts that is no device. */
export function sampleHost(changes: Partial<HostFacts> = {}): HostFacts {
  const known: Record<string, DeviceSpec[]> = {
    '/dev/sda': [device('', 'b', 8, 0)],
    '/dev/null': [device('', 'c', 1, 3)],
    '/dev/snd': [device('timer', 'c', 116, 33), device('by-path/card', 'c', 116, 2)],
    '/etc/hosts': [],
  }
  return {
    machine: 'x64',
    kernel: '6.1.0',
    capabilities: CAPABILITIES,
    apparmor: false,
    recursiveReadOnly: true,
    thermalThrottlePaths: [],
    sysctlExists: () => true,
    devicesAt: (path) => known[path],
    allDevices: () => [device('/dev/sda', 'b', 8, 0)],
    propagationOf: () => ({ mountPoint: '/', propagation: 'private' }),
    ...changes,
  }
}

export interface SampleChanges {
  config?: Partial<ContainerConfig>
  hostConfig?: Partial<HostConfig>
  mounts?: MountPoint[]
  input?: Partial<SpecInput>
  host?: Partial<HostFacts>
}

export function sampleInput(changes: SampleChanges = {}): SpecInput {
  const host = sampleHost(changes.host)
  const filters = createSeccompFilters({ profile: DEFAULT_PROFILE, machine: host.machine, kernel: host.kernel })
  return {
    container: {
      id: 'c0ffee',
      path: 'sleep',
      args: ['1'],
      config: { ...CONFIG, ...changes.config },
      hostConfig: sampleHostConfig(changes.hostConfig),
      mounts: changes.mounts ?? [],
      hostnamePath: '/var/lib/gantry/containers/c0ffee/hostname',
      hostsPath: '/var/lib/gantry/containers/c0ffee/hosts',
      resolvConfPath: '/var/lib/gantry/containers/c0ffee/resolv.conf',
      apparmorProfile: '',
    },
    user: { uid: 0, gid: 0, additionalGids: [], home: '/root' },
    peers: {},
    defaults: { cgroupParent: '/gantry', noNewPrivileges: false, ulimits: [], defaultSeccomp: filters.defaultFor },
    host,
    ...changes.input,
  }
}

/** A bind mount unless changed. */
export function sampleMount(destination: string, changes: Partial<MountPoint> = {}, spec: Partial<MountRequest> = {}): MountPoint {
  return {
    type: 'bind',
    name: '',
    source: '/srv/data',
    destination,
    driver: '',
    mode: '',
    rw: true,
    propagation: 'rprivate',
    spec: { type: 'bind', source: '/srv/data', target: destination, readOnly: false, consistency: '', ...spec },
    ...changes,
  }
}
