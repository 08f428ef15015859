import type { ContainerCreateRequest, DeviceRequest, EndpointSettings, HealthConfig, HostConfig, RestartPolicy } from '#api'
import { isMacAddress } from '../../opts/addresses.ts'
import { isCdiName, parseDevice } from '../../opts/devices.ts'
import { readKeyValues, toMap } from '../../opts/key-values.ts'
import { parseRestartPolicy } from '../../opts/limits.ts'
import { attachTo, isUserDefined, type NetworkAttachment } from '../../opts/network.ts'
import { parseExpose, parsePublish } from '../../opts/ports.ts'
import { parseSecurityOptions } from '../../opts/security.ts'
import { parseVolumes } from '../../opts/volumes.ts'
import type { CreateValues } from './create-flags.ts'

/** What the daemon is asked to create; numbers that were not given are left to it. */
export type CreateBody = Partial<ContainerCreateRequest> & {
  HostConfig: Partial<HostConfig>
  AttachStdin: boolean
  AttachStdout: boolean
  AttachStderr: boolean
  Tty: boolean
  Image: string
}

export interface ConfigInput {
  flags: CreateValues
  changed: ReadonlySet<string>
  image: string
  command: readonly string[]
  env: Readonly<Record<string, string | undefined>>
  workingDirectory: string
}

/**
 * The body of `POST /containers/create` for a command line: Docker's rules about what goes with what, and its texts for what does not.
 * Throws Error.
 */
export function createBody(input: ConfigInput): CreateBody {
  const { flags, changed } = input
  if (flags['mac-address'] !== '' && !isMacAddress(flags['mac-address']))
    throw new Error(`${flags['mac-address']} is not a valid mac address`)
  const swappiness = flags['memory-swappiness']
  if (swappiness !== -1 && (swappiness < 0 || swappiness > 100)) {
    throw new Error(`invalid value: ${swappiness}. Valid memory swappiness range is 0-100`)
  }
  const volumes = parseVolumes(flags.volume, input.workingDirectory)
  const published = parsePublish(flags.publish)
  const exposed = { ...published.exposed }
  for (const port of parseExpose(flags.expose)) exposed[port] = {}
  const restart = restartPolicy(flags)
  const security = parseSecurityOptions(flags['security-opt'])
  checkModes(flags)
  const attachStdin = flags.attach.includes('stdin') || flags.interactive
  const health = healthcheck(flags)
  const labels = readKeyValues(flags['label-file'], flags.label)

  return {
    Hostname: flags.hostname,
    Domainname: flags.domainname,
    User: flags.user,
    AttachStdin: attachStdin,
    AttachStdout: flags.attach.length === 0 || flags.attach.includes('stdout'),
    AttachStderr: flags.attach.length === 0 || flags.attach.includes('stderr'),
    ...(Object.keys(exposed).length === 0 ? {} : { ExposedPorts: exposed }),
    Tty: flags.tty,
    OpenStdin: flags.interactive,
    StdinOnce: flags.interactive && attachStdin,
    Env: readKeyValues(flags['env-file'], flags.env, input.env),
    Cmd: input.command.length === 0 ? null : [...input.command],
    ...(health === undefined ? {} : { Healthcheck: health }),
    Image: input.image,
    Volumes: volumes.anonymous,
    WorkingDir: flags.workdir,
    // `--entrypoint=` with nothing behind it takes the image's entry point away.
    Entrypoint: flags.entrypoint !== '' ? [flags.entrypoint] : changed.has('entrypoint') ? [''] : null,
    Labels: toMap(labels),
    ...(flags['stop-signal'] === '' ? {} : { StopSignal: flags['stop-signal'] }),
    ...(changed.has('stop-timeout') ? { StopTimeout: flags['stop-timeout'] } : {}),
    HostConfig: {
      ...resources(flags),
      Binds: volumes.binds.length === 0 ? null : volumes.binds,
      ContainerIDFile: flags.cidfile,
      LogConfig: { Type: flags['log-driver'], Config: logOptions(flags) },
      NetworkMode: flags.network[0]?.target ?? 'default',
      PortBindings: published.bindings,
      RestartPolicy: restart,
      AutoRemove: flags.rm,
      VolumeDriver: flags['volume-driver'],
      VolumesFrom: orNull(flags['volumes-from']),
      ConsoleSize: [0, 0],
      ...(flags.annotation.length === 0 ? {} : { Annotations: toMap(flags.annotation) }),
      CapAdd: orNull(flags['cap-add']),
      CapDrop: orNull(flags['cap-drop']),
      CgroupnsMode: flags.cgroupns,
      // Never null: containers of old clients have null here, and are told apart by it.
      Dns: flags.dns,
      DnsOptions: flags['dns-option'],
      DnsSearch: flags['dns-search'],
      ExtraHosts: orNull(flags['add-host']),
      GroupAdd: orNull(flags['group-add']),
      IpcMode: flags.ipc,
      Cgroup: '',
      Links: orNull(flags.link),
      OomScoreAdj: flags['oom-score-adj'],
      PidMode: flags.pid,
      Privileged: flags.privileged,
      PublishAllPorts: flags['publish-all'],
      ReadonlyRootfs: flags['read-only'],
      SecurityOpt: orNull(security.options),
      ...(flags['storage-opt'].length === 0 ? {} : { StorageOpt: storageOptions(flags['storage-opt']) }),
      ...(flags.tmpfs.length === 0 ? {} : { Tmpfs: tmpfsMounts(flags.tmpfs) }),
      UTSMode: flags.uts,
      UsernsMode: flags.userns,
      ShmSize: flags['shm-size'],
      ...(flags.sysctl.length === 0 ? {} : { Sysctls: toMap(flags.sysctl) }),
      ...(flags.runtime === '' ? {} : { Runtime: flags.runtime }),
      Isolation: flags.isolation,
      ...(flags.mount.length === 0 ? {} : { Mounts: flags.mount }),
      MaskedPaths: security.maskedPaths,
      ReadonlyPaths: security.readonlyPaths,
      ...(changed.has('init') ? { Init: flags.init } : {}),
    },
    NetworkingConfig: { EndpointsConfig: endpoints(flags) },
  }
}

function resources(flags: CreateValues): Partial<HostConfig> & Record<string, unknown> {
  const cdi = flags.device.filter(isCdiName)
  const requests: DeviceRequest[] = [...flags.gpus]
  if (cdi.length > 0) requests.push({ Driver: 'cdi', Count: 0, DeviceIDs: cdi, Capabilities: null, Options: null })
  return {
    CpuShares: flags['cpu-shares'],
    Memory: flags.memory,
    NanoCpus: flags.cpus,
    CgroupParent: flags['cgroup-parent'],
    BlkioWeight: flags['blkio-weight'],
    BlkioWeightDevice: flags['blkio-weight-device'],
    BlkioDeviceReadBps: flags['device-read-bps'],
    BlkioDeviceWriteBps: flags['device-write-bps'],
    BlkioDeviceReadIOps: flags['device-read-iops'],
    BlkioDeviceWriteIOps: flags['device-write-iops'],
    CpuPeriod: flags['cpu-period'],
    CpuQuota: flags['cpu-quota'],
    CpuRealtimePeriod: flags['cpu-rt-period'],
    CpuRealtimeRuntime: flags['cpu-rt-runtime'],
    CpusetCpus: flags['cpuset-cpus'],
    CpusetMems: flags['cpuset-mems'],
    Devices: flags.device.filter((device) => !isCdiName(device)).map(parseDevice),
    DeviceCgroupRules: orNull(flags['device-cgroup-rule']),
    DeviceRequests: requests.length === 0 ? null : requests,
    MemoryReservation: flags['memory-reservation'],
    MemorySwap: flags['memory-swap'],
    MemorySwappiness: flags['memory-swappiness'],
    OomKillDisable: flags['oom-kill-disable'],
    PidsLimit: flags['pids-limit'],
    Ulimits: flags.ulimit,
    CpuCount: flags['cpu-count'],
    CpuPercent: flags['cpu-percent'],
    IOMaximumIOps: flags['io-maxiops'],
    IOMaximumBandwidth: flags['io-maxbandwidth'],
  }
}

function checkModes(flags: CreateValues): void {
  const isContainer = (mode: string): boolean => /^container:.+/.test(mode)
  if (!['', 'host'].includes(flags.pid) && !isContainer(flags.pid)) throw new Error('--pid: invalid PID mode')
  if (!['', 'host'].includes(flags.uts)) throw new Error('--uts: invalid UTS mode')
  if (!['', 'host'].includes(flags.userns)) throw new Error('--userns: invalid USER mode')
  if (!['', 'host', 'private'].includes(flags.cgroupns)) throw new Error('--cgroupns: invalid CGROUP mode')
}

function restartPolicy(flags: CreateValues): RestartPolicy {
  const policy = parseRestartPolicy(flags.restart)
  if (flags.rm && policy.Name !== '' && policy.Name !== 'no') {
    throw new Error('conflicting options: cannot specify both --restart and --rm')
  }
  return policy
}

function logOptions(flags: CreateValues): Record<string, string> {
  if (flags['log-driver'] === 'none' && flags['log-opt'].length > 0) throw new Error('invalid logging opts for driver none')
  return toMap(flags['log-opt'])
}

function storageOptions(options: readonly string[]): Record<string, string> {
  for (const option of options) if (!option.includes('=')) throw new Error('invalid storage option')
  return toMap(options)
}

function tmpfsMounts(specs: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    specs.map((spec) => {
      const colon = spec.indexOf(':')
      return colon < 0 ? [spec, ''] : [spec.slice(0, colon), spec.slice(colon + 1)]
    }),
  )
}

function healthcheck(flags: CreateValues): HealthConfig | undefined {
  const settings = {
    '--health-interval': flags['health-interval'],
    '--health-timeout': flags['health-timeout'],
    '--health-retries': flags['health-retries'],
    '--health-start-period': flags['health-start-period'],
    '--health-start-interval': flags['health-start-interval'],
  }
  const given = flags['health-cmd'] !== '' || Object.values(settings).some((value) => value !== 0)
  if (flags['no-healthcheck']) {
    if (given) throw new Error('--no-healthcheck conflicts with --health-* options')
    return { Test: ['NONE'] }
  }
  if (!given) return undefined
  for (const [name, value] of Object.entries(settings)) if (value < 0) throw new Error(`${name} cannot be negative`)
  return {
    ...(flags['health-cmd'] === '' ? {} : { Test: ['CMD-SHELL', flags['health-cmd']] }),
    Interval: settings['--health-interval'],
    Timeout: settings['--health-timeout'],
    StartPeriod: settings['--health-start-period'],
    StartInterval: settings['--health-start-interval'],
    Retries: settings['--health-retries'],
  }
}

/** Endpoint settings by network. The options without a network of their own (`--ip`, `--network-alias` …) go to the first. */
function endpoints(flags: CreateValues): Record<string, EndpointSettings> {
  const result: Record<string, EndpointSettings> = {}
  const networks = flags.network.length === 0 ? [attachTo('default')] : flags.network
  for (const [index, network] of networks.entries()) {
    const complete = index === 0 ? withContainerOptions(network, flags) : network
    const settings = endpointSettings(complete)
    if (result[network.target] !== undefined) throw new Error(`network ${JSON.stringify(network.target)} is specified multiple times`)
    // A single network without options is left to the daemon, as old ones knew no endpoint of the default network.
    const isPlain = flags.network.length === 1 && Object.keys(settings).length === 0
    if (!isPlain) result[network.target] = settings as EndpointSettings
  }
  const userDefined = flags.network.filter(({ target }) => isUserDefined(target)).length
  if (userDefined > 0 && userDefined < flags.network.length) {
    throw new Error('conflicting options: cannot attach both user-defined and non-user-defined network-modes')
  }
  return result
}

function withContainerOptions(network: NetworkAttachment, flags: CreateValues): NetworkAttachment {
  const conflicts: [boolean, string][] = [
    [network.aliases.length > 0 && flags['network-alias'].length > 0, '--network-alias and per-network alias'],
    [network.links.length > 0 && flags.link.length > 0, '--link and per-network links'],
    [network.ipv4 !== '' && flags.ip !== '', '--ip and per-network IPv4 address'],
    [network.ipv6 !== '' && flags.ip6 !== '', '--ip6 and per-network IPv6 address'],
    [network.macAddress !== '' && flags['mac-address'] !== '', '--mac-address and per-network MAC address'],
    [network.linkLocalIps.length > 0 && flags['link-local-ip'].length > 0, '--link-local-ip and per-network link-local IP addresses'],
  ]
  for (const [conflict, what] of conflicts) if (conflict) throw new Error(`conflicting options: cannot specify both ${what}`)
  return {
    ...network,
    aliases: flags['network-alias'].length > 0 ? flags['network-alias'] : network.aliases,
    // On the default bridge a link is the container's, on a network of one's own the endpoint's.
    links: isUserDefined(network.target) && flags.link.length > 0 ? flags.link : network.links,
    ipv4: flags.ip === '' ? network.ipv4 : flags.ip,
    ipv6: flags.ip6 === '' ? network.ipv6 : flags.ip6,
    macAddress: flags['mac-address'] === '' ? network.macAddress : flags['mac-address'],
    linkLocalIps: flags['link-local-ip'].length > 0 ? flags['link-local-ip'] : network.linkLocalIps,
  }
}

function endpointSettings(network: NetworkAttachment): Partial<EndpointSettings> {
  if (network.target.trim() === '') throw new Error('no name set for network')
  if (!isUserDefined(network.target)) {
    if (network.aliases.length > 0) throw new Error('network-scoped aliases are only supported for user-defined networks')
    if (network.links.length > 0) throw new Error('links are only supported for user-defined networks')
  }
  if (network.macAddress !== '' && !isMacAddress(network.macAddress)) throw new Error(`${network.macAddress} is not a valid mac address`)
  const hasAddress = network.ipv4 !== '' || network.ipv6 !== '' || network.linkLocalIps.length > 0
  return {
    ...(network.gatewayPriority === 0 ? {} : { GwPriority: network.gatewayPriority }),
    ...(network.aliases.length === 0 ? {} : { Aliases: network.aliases }),
    ...(Object.keys(network.driverOpts).length === 0 ? {} : { DriverOpts: network.driverOpts }),
    ...(network.links.length === 0 ? {} : { Links: network.links }),
    ...(network.macAddress === '' ? {} : { MacAddress: network.macAddress }),
    ...(hasAddress
      ? {
          IPAMConfig: {
            ...(network.ipv4 === '' ? {} : { IPv4Address: network.ipv4 }),
            ...(network.ipv6 === '' ? {} : { IPv6Address: network.ipv6 }),
            ...(network.linkLocalIps.length === 0 ? {} : { LinkLocalIPs: network.linkLocalIps }),
          },
        }
      : {}),
  }
}

function orNull<T>(items: T[]): T[] | null {
  return items.length === 0 ? null : items
}
