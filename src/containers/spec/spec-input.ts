/** What `generateSpec` needs to know: everything that is not in the container's record is in here, so that the function stays pure. */

import type { DeviceSpec, SeccompSpec } from '#oci'
import type { ContainerConfig } from '../configuration.ts'
import type { Container } from '../types.ts'

export interface SpecInput {
  container: Pick<
    Container,
    'id' | 'path' | 'args' | 'hostConfig' | 'mounts' | 'hostnamePath' | 'hostsPath' | 'resolvConfPath' | 'apparmorProfile'
  > & { config: Pick<ContainerConfig, 'hostname' | 'domainname' | 'tty' | 'env' | 'workingDir'> }
  /** From the container's own passwd and group files. `home` becomes HOME where the environment has none. */
  user: { uid: number; gid: number; additionalGids: readonly number[]; home: string }
  /** Host pids of the running containers whose namespaces are joined (`--ipc`, `--pid`, `--network` `container:X`). */
  peers: { ipc?: number; pid?: number; network?: number }
  /**
   * Host directory that becomes /dev/shm where it is not the container's own: a shareable container's tmpfs, that of the container whose IPC namespace
   * is joined, or the host's /dev/shm. Not used for ipc modes private and none.
   */
  shm?: string
  /** Host directory of the root file system, for bundles of other runtimes; our own mounts the overlay itself. */
  rootfs?: string
  defaults: SpecDefaults
  host: HostFacts
}

/** The daemon's settings that show in a spec. */
export interface SpecDefaults {
  /** Parent below each hierarchy, `/gantry`; a container's own `cgroupParent` wins. */
  cgroupParent: string
  noNewPrivileges: boolean
  ulimits: readonly { name: string; soft: number; hard: number }[]
  /** The filter for a bounding set, `SeccompFilters.defaultFor`; undefined where containers are unconfined by default. */
  defaultSeccomp: ((capabilities: readonly string[]) => SeccompSpec | undefined) | undefined
}

/** What the machine has. `probeHostFacts` reads it; tests write it down. */
export interface HostFacts {
  /** `process.arch`. */
  machine: 'x64' | 'arm64'
  /** `uname -r`. */
  kernel: string
  /** `availableCapabilities` of the daemon. */
  capabilities: readonly string[]
  apparmor: boolean
  /** mount_setattr(2), Linux 5.12: read-only binds can be made so with everything mounted below them. */
  recursiveReadOnly: boolean
  /** `/sys/devices/system/cpu/cpu<n>/thermal_throttle` that exist. */
  thermalThrottlePaths: readonly string[]
  /** Whether `/proc/sys/<name with slashes>` exists. */
  sysctlExists(name: string): boolean
  /** Hard limits of the daemon by OCI name (`RLIMIT_NOFILE`), Infinity for none; undefined where it may raise them. */
  hardLimits?: Readonly<Record<string, number>>
  /**
   * The device at a path, links followed; a directory gives all devices below it, each with the path relative to the directory in `path`
   * (`''` for the device itself). undefined: nothing there. Empty: no device.
   */
  devicesAt(path: string): DeviceSpec[] | undefined
  /** All devices of the host's /dev for privileged containers. */
  allDevices(): DeviceSpec[]
  /** Where `path` is mounted and how that mount propagates. */
  propagationOf(path: string): { mountPoint: string; propagation: 'shared' | 'slave' | 'private' }
}
