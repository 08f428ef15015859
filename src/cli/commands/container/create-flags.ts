import type { DeviceRequest, Mount, ThrottleDevice, Ulimit } from '#api'
import { parseRamBytes, parseGoDuration } from '#lib'
import { checkDnsSearch, checkExtraHost, checkIp, checkLink } from '../../opts/addresses.ts'
import { checkDeviceCgroupRule, parseBpsDevice, parseGpus, parseIopsDevice, parseWeightDevice } from '../../opts/devices.ts'
import { checkEnv, checkLabel } from '../../opts/key-values.ts'
import { checkSysctl, parseCpus, parseMemorySwap, parseUlimit } from '../../opts/limits.ts'
import { parseMount } from '../../opts/mount.ts'
import { parseNetwork, type NetworkAttachment } from '../../opts/network.ts'
import { bool, custom, int, list, string, uint, type Flag, type FlagOptions } from '../../parser/flag.ts'

export interface WeightDevice {
  Path: string
  Weight: number
}

/** Values of the flags that `run` and `create` share. Bytes, nanoseconds and nano-CPUs are numbers. */
export interface CreateValues {
  'add-host': string[]
  annotation: string[]
  attach: string[]
  'blkio-weight': number
  'blkio-weight-device': WeightDevice[]
  'cap-add': string[]
  'cap-drop': string[]
  'cgroup-parent': string
  cgroupns: string
  cidfile: string
  'cpu-count': number
  'cpu-percent': number
  'cpu-period': number
  'cpu-quota': number
  'cpu-rt-period': number
  'cpu-rt-runtime': number
  'cpu-shares': number
  cpus: number
  'cpuset-cpus': string
  'cpuset-mems': string
  device: string[]
  'device-cgroup-rule': string[]
  'device-read-bps': ThrottleDevice[]
  'device-read-iops': ThrottleDevice[]
  'device-write-bps': ThrottleDevice[]
  'device-write-iops': ThrottleDevice[]
  'disable-content-trust': boolean
  dns: string[]
  'dns-opt': string[]
  'dns-option': string[]
  'dns-search': string[]
  domainname: string
  entrypoint: string
  env: string[]
  'env-file': string[]
  expose: string[]
  gpus: DeviceRequest[]
  'group-add': string[]
  'health-cmd': string
  'health-interval': number
  'health-retries': number
  'health-start-interval': number
  'health-start-period': number
  'health-timeout': number
  help: boolean
  hostname: string
  init: boolean
  interactive: boolean
  'io-maxbandwidth': number
  'io-maxiops': number
  ip: string
  ip6: string
  ipc: string
  isolation: string
  'kernel-memory': number
  label: string[]
  'label-file': string[]
  link: string[]
  'link-local-ip': string[]
  'log-driver': string
  'log-opt': string[]
  'mac-address': string
  memory: number
  'memory-reservation': number
  'memory-swap': number
  'memory-swappiness': number
  mount: Mount[]
  name: string
  net: NetworkAttachment[]
  'net-alias': string[]
  network: NetworkAttachment[]
  'network-alias': string[]
  'no-healthcheck': boolean
  'oom-kill-disable': boolean
  'oom-score-adj': number
  pid: string
  'pids-limit': number
  platform: string
  privileged: boolean
  publish: string[]
  'publish-all': boolean
  quiet: boolean
  'read-only': boolean
  restart: string
  rm: boolean
  runtime: string
  'security-opt': string[]
  'shm-size': number
  'stop-signal': string
  'stop-timeout': number
  'storage-opt': string[]
  sysctl: string[]
  tmpfs: string[]
  tty: boolean
  ulimit: Ulimit[]
  'use-api-socket': boolean
  user: string
  userns: string
  uts: string
  volume: string[]
  'volume-driver': string
  'volumes-from': string[]
  workdir: string
}

const CGROUPNS_HELP = `Cgroup namespace to use (host|private)
'host':    Run the container in the Docker host's cgroup namespace
'private': Run the container in its own private cgroup namespace
'':        Use the cgroup namespace as configured by the
           default-cgroupns-mode option on the daemon (default)`

/** Takes the stream names of `--attach`. */
function checkAttach(text: string): string {
  const name = text.toLowerCase()
  if (!['stdin', 'stdout', 'stderr'].includes(name)) throw new Error('valid streams are STDIN, STDOUT and STDERR')
  return name
}

/** The flags that `run` and `create` share. */
export const CREATE_FLAGS: { [Name in keyof CreateValues]: Flag<CreateValues[Name]> } = {
  'add-host': list('Add a custom host-to-IP mapping (host:ip)', { check: checkExtraHost }),
  annotation: mapEntries('Add an annotation to the container (passed through to the OCI runtime)', {
    version: '1.43',
    defaultText: 'map[]',
  }),
  attach: list('Attach to STDIN, STDOUT or STDERR', { short: 'a', check: checkAttach }),
  'blkio-weight': uint('uint16', 16, 'Block IO (relative weight), between 10 and 1000, or 0 to disable (default 0)'),
  'blkio-weight-device': many('list', parseWeightDevice, 'Block IO weight (relative device weight)', { defaultText: '[]' }),
  'cap-add': list('Add Linux capabilities'),
  'cap-drop': list('Drop Linux capabilities'),
  'cgroup-parent': string('Optional parent cgroup for the container'),
  cgroupns: string(CGROUPNS_HELP, { version: '1.41' }),
  cidfile: string('Write the container ID to the file'),
  'cpu-count': int('CPU count (Windows only)', { osType: 'windows' }),
  'cpu-percent': int('CPU percent (Windows only)', { osType: 'windows' }),
  'cpu-period': int('Limit CPU CFS (Completely Fair Scheduler) period'),
  'cpu-quota': int('Limit CPU CFS (Completely Fair Scheduler) quota'),
  'cpu-rt-period': int('Limit CPU real-time period in microseconds', { version: '1.25' }),
  'cpu-rt-runtime': int('Limit CPU real-time runtime in microseconds', { version: '1.25' }),
  'cpu-shares': int('CPU shares (relative weight)', { short: 'c' }),
  cpus: custom('decimal', 0, (_, text) => parseCpus(text), 'Number of CPUs', { version: '1.25' }),
  'cpuset-cpus': string('CPUs in which to allow execution (0-3, 0,1)'),
  'cpuset-mems': string('MEMs in which to allow execution (0-3, 0,1)'),
  device: list('Add a host device to the container'),
  'device-cgroup-rule': list('Add a rule to the cgroup allowed devices list', { check: checkDeviceCgroupRule }),
  'device-read-bps': many('list', parseBpsDevice, 'Limit read rate (bytes per second) from a device', { defaultText: '[]' }),
  'device-read-iops': many('list', parseIopsDevice, 'Limit read rate (IO per second) from a device', { defaultText: '[]' }),
  'device-write-bps': many('list', parseBpsDevice, 'Limit write rate (bytes per second) to a device', { defaultText: '[]' }),
  'device-write-iops': many('list', parseIopsDevice, 'Limit write rate (IO per second) to a device', { defaultText: '[]' }),
  'disable-content-trust': bool('Skip image verification', { initial: true }),
  dns: list('Set custom DNS servers', { check: checkIp }),
  'dns-opt': list('Set DNS options', { hidden: true, aliasOf: 'dns-option' }),
  'dns-option': list('Set DNS options'),
  'dns-search': list('Set custom DNS search domains', { check: checkDnsSearch }),
  domainname: string('Container NIS domain name'),
  entrypoint: string('Overwrite the default ENTRYPOINT of the image'),
  env: list('Set environment variables', { short: 'e', check: (text) => checkEnv(text, process.env) }),
  'env-file': list('Read in a file of environment variables'),
  expose: list('Expose a port or a range of ports'),
  gpus: many('gpu-request', parseGpus, "GPU devices to add to the container ('all' to pass all GPUs)", { version: '1.40' }),
  'group-add': list('Add additional groups to join'),
  'health-cmd': string('Command to run to check health'),
  'health-interval': duration('Time between running the check (ms|s|m|h) (default 0s)'),
  'health-retries': int('Consecutive failures needed to report unhealthy'),
  'health-start-interval': duration('Time between running the check during the start period (ms|s|m|h) (default 0s)', { version: '1.44' }),
  'health-start-period': duration(
    'Start period for the container to initialize before starting health-retries countdown (ms|s|m|h) (default 0s)',
    { version: '1.29' },
  ),
  'health-timeout': duration('Maximum time to allow one check to run (ms|s|m|h) (default 0s)'),
  help: bool('Print usage'),
  hostname: string('Container host name', { short: 'h' }),
  init: bool('Run an init inside the container that forwards signals and reaps processes', { version: '1.25' }),
  interactive: bool('Keep STDIN open even if not attached', { short: 'i' }),
  'io-maxbandwidth': bytes('Maximum IO bandwidth limit for the system drive (Windows only)', { osType: 'windows' }),
  'io-maxiops': uint('uint', 64, 'Maximum IOps limit for the system drive (Windows only)', { osType: 'windows' }),
  ip: string('IPv4 address (e.g., 172.30.100.104)'),
  ip6: string('IPv6 address (e.g., 2001:db8::33)'),
  ipc: string('IPC mode to use'),
  isolation: string('Container isolation technology'),
  'kernel-memory': bytes('Kernel memory limit'),
  label: list('Set meta data on a container', { short: 'l', check: checkLabel }),
  'label-file': list('Read in a line delimited file of labels'),
  link: list('Add link to another container', { check: checkLink }),
  'link-local-ip': list('Container IPv4/IPv6 link-local addresses'),
  'log-driver': string('Logging driver for the container'),
  'log-opt': list('Log driver options'),
  'mac-address': string('Container MAC address (e.g., 92:d0:c6:0a:29:33)'),
  memory: bytes('Memory limit', { short: 'm' }),
  'memory-reservation': bytes('Memory soft limit'),
  'memory-swap': custom(
    'bytes',
    0,
    (_, text) => parseMemorySwap(text),
    "Swap limit equal to memory plus swap: '-1' to enable unlimited swap",
  ),
  'memory-swappiness': int('Tune container memory swappiness (0 to 100)', { initial: -1 }),
  mount: many('mount', (text) => parseMount(text, process.cwd()), 'Attach a filesystem mount to the container'),
  name: string('Assign a name to the container'),
  net: many('network', parseNetwork, 'Connect a container to a network', { hidden: true, aliasOf: 'network' }),
  'net-alias': list('Add network-scoped alias for the container', { hidden: true, aliasOf: 'network-alias' }),
  network: many('network', parseNetwork, 'Connect a container to a network'),
  'network-alias': list('Add network-scoped alias for the container'),
  'no-healthcheck': bool('Disable any container-specified HEALTHCHECK'),
  'oom-kill-disable': bool('Disable OOM Killer'),
  'oom-score-adj': int("Tune host's OOM preferences (-1000 to 1000)"),
  pid: string('PID namespace to use'),
  'pids-limit': int('Tune container pids limit (set -1 for unlimited)'),
  platform: string('Set platform if server is multi-platform capable', { version: '1.32' }),
  privileged: bool('Give extended privileges to this container'),
  publish: list("Publish a container's port(s) to the host", { short: 'p' }),
  'publish-all': bool('Publish all exposed ports to random ports', { short: 'P' }),
  quiet: bool('Suppress the pull output', { short: 'q' }),
  'read-only': bool("Mount the container's root filesystem as read only"),
  restart: string('Restart policy to apply when a container exits', { initial: 'no' }),
  rm: bool('Automatically remove the container and its associated anonymous volumes when it exits'),
  runtime: string('Runtime to use for this container'),
  'security-opt': list('Security Options'),
  'shm-size': bytes('Size of /dev/shm'),
  'stop-signal': string('Signal to stop the container'),
  'stop-timeout': int('Timeout (in seconds) to stop a container', { version: '1.25' }),
  'storage-opt': list('Storage driver options for the container'),
  sysctl: mapEntries('Sysctl options', { defaultText: 'map[]', check: checkSysctl }),
  tmpfs: list('Mount a tmpfs directory'),
  tty: bool('Allocate a pseudo-TTY', { short: 't' }),
  ulimit: many('ulimit', parseUlimit, 'Ulimit options', { defaultText: '[]' }),
  'use-api-socket': bool('Bind mount Docker API socket and required auth'),
  user: string('Username or UID (format: <name|uid>[:<group|gid>])', { short: 'u' }),
  userns: string('User namespace to use'),
  uts: string('UTS namespace to use'),
  volume: list('Bind mount a volume', { short: 'v' }),
  'volume-driver': string('Optional volume driver for the container'),
  'volumes-from': list('Mount volumes from the specified container(s)'),
  workdir: string('Working directory inside the container', { short: 'w' }),
}

function many<T>(kind: string, parse: (text: string) => T, help: string, options: FlagOptions = {}): Flag<T[]> {
  return custom<T[]>(kind, [], (current, text) => [...current, parse(text)], help, options)
}

function bytes(help: string, options: FlagOptions = {}): Flag<number> {
  return custom('bytes', 0, (_, text) => parseRamBytes(text), help, options)
}

function duration(help: string, options: FlagOptions = {}): Flag<number> {
  return custom('duration', 0, (_, text) => parseGoDuration(text), help, options)
}

function mapEntries(help: string, options: FlagOptions & { check?: (text: string) => string } = {}): Flag<string[]> {
  return { ...list(help, options), kind: 'map' }
}
