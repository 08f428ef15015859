/** `GET /containers/{id}/json`. */

import type { ApiVersion, ContainerInspect, ContainerState, Health, MountPoint, NetworkSettings } from '#api'
import type { Container, ContainerService } from '#containers'
import { containerConfig } from './container-config.ts'
import { encodeEndpoints } from './endpoint.ts'
import { hostConfig } from './host-config.ts'
import { encodePorts } from './ports.ts'
import { ZERO_TIME } from './time.ts'

/** Overlay2 as Docker calls it where it names its storage. */
export const STORAGE_DRIVER = 'overlay2'

export function encodeContainerInspect(
  container: Container,
  version: ApiVersion,
  usage?: { sizeRw: number; sizeRootFs: number },
  directories?: ReturnType<ContainerService['directories']>,
): ContainerInspect {
  const config = containerConfig.encode(container.config, version) as unknown as ContainerInspect['Config']
  const { networkMode } = container.hostConfig
  const macAddress = container.networks[networkMode === 'default' ? 'bridge' : networkMode]?.macAddress
  if (version < 52 && macAddress) config.MacAddress = macAddress
  return {
    Id: container.id,
    Created: container.created,
    Path: container.path,
    Args: container.args,
    State: encodeState(container),
    Image: container.imageId,
    ResolvConfPath: container.resolvConfPath,
    HostnamePath: container.hostnamePath,
    HostsPath: container.hostsPath,
    LogPath: container.logPath,
    Name: `/${container.name}`,
    RestartCount: container.restartCount,
    Driver: STORAGE_DRIVER,
    Platform: container.platform,
    MountLabel: '',
    ProcessLabel: '',
    AppArmorProfile: container.apparmorProfile,
    ExecIDs: container.execIds.length > 0 ? container.execIds : null,
    HostConfig: hostConfig.encode(container.hostConfig, version) as unknown as ContainerInspect['HostConfig'],
    ...(version < 52
      ? { GraphDriver: { Name: STORAGE_DRIVER, Data: encodeDirectories(directories) } }
      : { Storage: { RootFS: { Snapshot: { Name: STORAGE_DRIVER } } } }),
    ...(usage === undefined ? {} : { SizeRw: usage.sizeRw, SizeRootFs: usage.sizeRootFs }),
    Mounts: encodeMounts(container),
    Config: config,
    NetworkSettings: encodeNetworkSettings(container, version),
  }
}

/** Without `MergedDir`: a container's file system is mounted in its own namespace, and nowhere on the host. */
function encodeDirectories(directories: ReturnType<ContainerService['directories']>): Record<string, string> | null {
  if (directories === undefined) return null
  return { LowerDir: directories.lower.join(':'), UpperDir: directories.upper, WorkDir: directories.work }
}

/** The union becomes Docker's overlapping flags: paused and restarting containers are running, too. */
function encodeState({ state, health }: Container): ContainerState {
  const isAlive = state.status === 'running' || state.status === 'paused'
  // A container that could not be started goes back to `created`, with exit code and error.
  const exit = 'oomKilled' in state ? state : undefined
  const result: ContainerState = {
    Status: state.status,
    Running: isAlive || state.status === 'restarting',
    Paused: state.status === 'paused',
    Restarting: state.status === 'restarting',
    OOMKilled: exit?.oomKilled ?? false,
    Dead: state.status === 'dead',
    Pid: isAlive ? state.pid : 0,
    ExitCode: ('exitCode' in state && state.exitCode) || 0,
    Error: ('error' in state && state.error) || '',
    StartedAt: ('startedAt' in state && state.startedAt) || ZERO_TIME,
    FinishedAt: exit?.finishedAt || ZERO_TIME,
  }
  if (health !== undefined) result.Health = encodeHealth(health)
  return result
}

function encodeHealth(health: NonNullable<Container['health']>): Health {
  return {
    Status: health.status,
    FailingStreak: health.failingStreak,
    Log: health.log.map(({ start, end, exitCode, output }) => ({ Start: start, End: end, ExitCode: exitCode, Output: output })),
  }
}

export function encodeMounts(container: Container): MountPoint[] {
  return container.mounts.map((mount) => ({
    Type: mount.type,
    ...(mount.name === '' ? {} : { Name: mount.name }),
    Source: mount.source,
    Destination: mount.destination,
    ...(mount.driver === '' ? {} : { Driver: mount.driver }),
    Mode: mount.mode,
    RW: mount.rw,
    Propagation: mount.propagation,
  }))
}

function encodeNetworkSettings(container: Container, version: ApiVersion): NetworkSettings {
  const { state } = container
  const isAlive = state.status === 'running' || state.status === 'paused'
  const settings: NetworkSettings = {
    SandboxID: isAlive ? container.id : '',
    // Docker shows a bind mount of the namespace; ours lives as long as the process, so its own name for it does.
    SandboxKey: isAlive ? `/proc/${state.pid}/ns/net` : '',
    Ports: encodePorts(container),
    Networks: encodeEndpoints(container, version),
  }
  if (version >= 52) return settings

  // The default bridge's endpoint again, flat. Removed in 1.52.
  const bridge = settings.Networks['bridge']
  return {
    Bridge: '',
    ...settings,
    HairpinMode: false,
    LinkLocalIPv6Address: '',
    LinkLocalIPv6PrefixLen: 0,
    SecondaryIPAddresses: null,
    SecondaryIPv6Addresses: null,
    EndpointID: bridge?.EndpointID ?? '',
    Gateway: bridge?.Gateway ?? '',
    GlobalIPv6Address: bridge?.GlobalIPv6Address ?? '',
    GlobalIPv6PrefixLen: bridge?.GlobalIPv6PrefixLen ?? 0,
    IPAddress: bridge?.IPAddress ?? '',
    IPPrefixLen: bridge?.IPPrefixLen ?? 0,
    IPv6Gateway: bridge?.IPv6Gateway ?? '',
    MacAddress: bridge?.MacAddress ?? '',
  }
}
