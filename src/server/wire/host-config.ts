/** `HostConfig` and its part that `update` takes, `Resources`. Whether an empty value is null, `[]` or missing is what dockerd shows. */

import type { DeviceRequest, HostConfig, Resources, RestartPolicyName, ThrottleRequest } from '#containers'
import {
  convert,
  field,
  flag,
  integer,
  list,
  struct,
  text,
  textList,
  textMap,
  type Codec,
  type FieldTable,
  type StructCodec,
} from './codec.ts'
import { mountList } from './mount.ts'
import { portBindings } from './ports.ts'

const int64 = integer('int64')

const throttleDevices: Codec<ThrottleRequest[]> = list(
  struct<ThrottleRequest>('blkiodev.ThrottleDevice', {
    path: field('Path', text),
    rate: field('Rate', integer('uint64')),
  }).complete({ path: '', rate: 0 }),
  '[]*blkiodev.ThrottleDevice',
)

const weightDevices: Codec<Resources['blkioWeightDevice']> = list(
  struct<Resources['blkioWeightDevice'][number]>('blkiodev.WeightDevice', {
    path: field('Path', text),
    weight: field('Weight', integer('uint16')),
  }).complete({ path: '', weight: 0 }),
  '[]*blkiodev.WeightDevice',
)

const devices: Codec<Resources['devices']> = list(
  struct<Resources['devices'][number]>('container.DeviceMapping', {
    pathOnHost: field('PathOnHost', text),
    pathInContainer: field('PathInContainer', text),
    cgroupPermissions: field('CgroupPermissions', text),
  }).complete({ pathOnHost: '', pathInContainer: '', cgroupPermissions: '' }),
  '[]container.DeviceMapping',
)

const ulimits: Codec<Resources['ulimits']> = list(
  struct<Resources['ulimits'][number]>('units.Ulimit', {
    name: field('Name', text),
    soft: field('Soft', int64),
    hard: field('Hard', int64),
  }).complete({ name: '', soft: 0, hard: 0 }),
  '[]*units.Ulimit',
)

const deviceRequests: Codec<DeviceRequest[]> = list(
  struct<DeviceRequest>('container.DeviceRequest', {
    driver: field('Driver', text),
    count: field('Count', integer('int')),
    deviceIds: field('DeviceIDs', textList, { absent: null }),
    capabilities: field('Capabilities', list(textList, '[][]string'), { absent: null }),
    options: field('Options', textMap, { absent: null }),
  }).complete({ driver: '', count: 0 }),
  '[]container.DeviceRequest',
)

const resourceFields: FieldTable<Resources> = {
  cpuShares: field('CpuShares', int64),
  memory: field('Memory', int64),
  nanoCpus: field('NanoCpus', int64),
  cgroupParent: field('CgroupParent', text),
  blkioWeight: field('BlkioWeight', integer('uint16')),
  blkioWeightDevice: field('BlkioWeightDevice', weightDevices),
  blkioDeviceReadBps: field('BlkioDeviceReadBps', throttleDevices),
  blkioDeviceWriteBps: field('BlkioDeviceWriteBps', throttleDevices),
  blkioDeviceReadIOps: field('BlkioDeviceReadIOps', throttleDevices),
  blkioDeviceWriteIOps: field('BlkioDeviceWriteIOps', throttleDevices),
  cpuPeriod: field('CpuPeriod', int64),
  cpuQuota: field('CpuQuota', int64),
  cpuRealtimePeriod: field('CpuRealtimePeriod', int64),
  cpuRealtimeRuntime: field('CpuRealtimeRuntime', int64),
  cpusetCpus: field('CpusetCpus', text),
  cpusetMems: field('CpusetMems', text),
  devices: field('Devices', devices),
  deviceCgroupRules: field('DeviceCgroupRules', textList, { zero: 'null', absent: null }),
  deviceRequests: field('DeviceRequests', deviceRequests, { zero: 'null', absent: null }),
  memoryReservation: field('MemoryReservation', int64),
  memorySwap: field('MemorySwap', int64),
  memorySwappiness: field('MemorySwappiness', int64, { absent: null }),
  oomKillDisable: field('OomKillDisable', flag, { absent: null }),
  pidsLimit: field('PidsLimit', int64, { absent: null }),
  ulimits: field('Ulimits', ulimits),
}

const logConfig = struct<HostConfig['logConfig']>('container.LogConfig', {
  type: field('Type', text),
  config: field('Config', textMap),
}).complete({ type: '', config: {} })

/** The domain refuses unknown names with Docker's text. */
const restartPolicyName: Codec<RestartPolicyName> = convert(
  text,
  (wire) => wire as RestartPolicyName,
  (domain) => domain,
)

const restartPolicyFields: FieldTable<HostConfig['restartPolicy']> = {
  name: field('Name', restartPolicyName),
  maximumRetryCount: field('MaximumRetryCount', integer('int')),
}
const restartPolicy = struct<HostConfig['restartPolicy']>('container.RestartPolicy', restartPolicyFields).complete({
  name: '' as RestartPolicyName,
  maximumRetryCount: 0,
})

/** Go's `[2]uint`: a shorter list is filled with zeros, a longer one cut. */
export const consoleSize: Codec<[number, number]> = convert(
  list(integer('uint'), '[2]uint'),
  ([rows = 0, columns = 0]) => [rows, columns] as [number, number],
  (size) => size,
)

const cgroupnsMode: Codec<HostConfig['cgroupnsMode']> = convert(
  text,
  (wire) => wire as HostConfig['cgroupnsMode'],
  (domain) => domain,
)

/** Limits that exist on Windows only; a Linux daemon shows them as zero. */
const WINDOWS_FIELDS = { CpuCount: 0, CpuPercent: 0, IOMaximumIOps: 0, IOMaximumBandwidth: 0 }

const nullList = { zero: 'null', absent: null } as const

export const hostConfig: StructCodec<HostConfig> = struct<HostConfig>(
  'container.HostConfig',
  {
    binds: field('Binds', textList, nullList),
    containerIDFile: field('ContainerIDFile', text),
    logConfig: field('LogConfig', logConfig),
    networkMode: field('NetworkMode', text),
    portBindings: field('PortBindings', portBindings),
    restartPolicy: field('RestartPolicy', restartPolicy),
    autoRemove: field('AutoRemove', flag, { since: 25 }),
    volumeDriver: field('VolumeDriver', text),
    volumesFrom: field('VolumesFrom', textList, nullList),
    consoleSize: field('ConsoleSize', consoleSize, { since: 42 }),
    annotations: field('Annotations', textMap, { zero: 'omit', since: 43 }),
    capAdd: field('CapAdd', textList, nullList),
    capDrop: field('CapDrop', textList, nullList),
    cgroupnsMode: field('CgroupnsMode', cgroupnsMode, { since: 41 }),
    dns: field('Dns', textList),
    dnsOptions: field('DnsOptions', textList),
    dnsSearch: field('DnsSearch', textList),
    extraHosts: field('ExtraHosts', textList, nullList),
    groupAdd: field('GroupAdd', textList, nullList),
    ipcMode: field('IpcMode', text),
    cgroup: field('Cgroup', text),
    links: field('Links', textList, nullList),
    oomScoreAdj: field('OomScoreAdj', integer('int')),
    pidMode: field('PidMode', text),
    privileged: field('Privileged', flag),
    publishAllPorts: field('PublishAllPorts', flag),
    readonlyRootfs: field('ReadonlyRootfs', flag),
    securityOpt: field('SecurityOpt', textList, nullList),
    storageOpt: field('StorageOpt', textMap, { zero: 'omit' }),
    tmpfs: field('Tmpfs', textMap, { zero: 'omit' }),
    utsMode: field('UTSMode', text),
    usernsMode: field('UsernsMode', text),
    shmSize: field('ShmSize', int64),
    sysctls: field('Sysctls', textMap, { zero: 'omit' }),
    runtime: field('Runtime', text),
    isolation: field('Isolation', text),
    ...resourceFields,
    mounts: field('Mounts', mountList, { zero: 'omit' }),
    maskedPaths: field('MaskedPaths', textList, { absent: null }),
    readonlyPaths: field('ReadonlyPaths', textList, { absent: null }),
    init: field('Init', flag),
  },
  WINDOWS_FIELDS,
)

export type UpdateConfig = Resources & Pick<HostConfig, 'restartPolicy'>

/** Body of `POST /containers/{id}/update`. */
export const updateConfig: StructCodec<UpdateConfig> = struct<UpdateConfig>('container.UpdateConfig', {
  ...resourceFields,
  restartPolicy: field('RestartPolicy', restartPolicy),
})
