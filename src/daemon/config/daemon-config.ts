import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import { formatVersion, MAX_API_VERSION, MIN_API_VERSION, parseVersion } from '#api'
import { LOG_LEVELS, type LogLevel } from '../logger.ts'
import { DEFAULT_BUILDER, type BuilderOptions } from './builder-values.ts'
import type { GivenOptions } from './parse-flags.ts'
import type { AddressPool, DriverOptions, Ulimit } from './options.ts'
import { insecureRegistry, mirrorUrl } from './registry-values.ts'

/** The daemon's configuration, complete and checked. */
export interface DaemonConfig {
  dataRoot: string
  execRoot: string
  pidfile: string
  hosts: string[]
  /** Group of the unix socket. */
  group: { name: string; explicit: boolean }
  /** `tls` undefined: not said; plain TCP is then only for loopback. */
  tls: { enabled: boolean; plainAllowed: boolean; verify: boolean; ca: string; cert: string; key: string }
  log: { level: LogLevel; format: 'text' | 'json' }
  debug: boolean
  labels: string[]
  experimental: boolean
  /** Oldest API version served; undefined: the oldest there is. */
  minApiVersion: string | undefined
  /** Seconds. */
  shutdownTimeout: number
  registries: {
    /** Mirrors of Docker Hub; each ends with a slash. */
    mirrors: string[]
    /** `HOST[:PORT]` and CIDRs. */
    insecure: string[]
    /** Directory of `hosts.toml` files and certificates. */
    configDirectory: string
    /** 0: no limit. */
    maxConcurrentDownloads: number
    /** 0: no limit. */
    maxConcurrentUploads: number
    maxDownloadAttempts: number
    /** Empty: none. */
    proxy: { http: string; https: string; no: string }
  }
  storage: { layerBlobs: LayerBlobs }
  builder: BuilderOptions
  /** Directories of specifications, the last one highest; empty: there are no CDI devices. */
  cdiSpecDirectories: string[]
  containers: {
    cgroupParent: string
    /** undefined: by the cgroup version. */
    cgroupnsMode: 'private' | 'host' | undefined
    ipcMode: 'private' | 'shareable'
    shmSize: number
    init: boolean
    noNewPrivileges: boolean
    ulimits: Ulimit[]
    logConfig: { type: string; config: Record<string, string> }
    runtime: string
    seccompProfile: string
  }
  network: {
    bip: string
    bip6: string
    bridge: string
    fixedCidr: string
    fixedCidrV6: string
    defaultGateway: string
    defaultGatewayV6: string
    addressPools: AddressPool[]
    mtu: number
    bindAddress: string
    icc: boolean
    ipForward: boolean
    ipMasq: boolean
    /** Of IPv4. */
    firewall: boolean
    firewall6: boolean
    ipv6: boolean
    allowDirectRouting: boolean
    /** Of new networks, by driver. */
    defaultOptions: DriverOptions
    dns: string[]
    dnsOptions: string[]
    dnsSearch: string[]
    hostGatewayIps: string[]
  }
}

/** Whether compressed layers stay after they are unpacked. */
export type LayerBlobs = 'keep' | 'discard'

/** Variables that speak for options which were not given. */
export type Environment = Readonly<Record<string, string | undefined>>

/** Where things are unless said otherwise: `gantry daemon` keeps out of Docker's way, `dockerd` stands in its place. */
export interface Persona {
  program: 'gantry daemon' | 'dockerd'
  configFile: string
  host: string
  pidfile: string
  registryDirectory: string
}

export const PERSONAS: Record<'daemon' | 'dockerd', Persona> = {
  daemon: {
    program: 'gantry daemon',
    configFile: '/etc/gantry/daemon.json',
    host: 'unix:///var/run/gantry.sock',
    pidfile: '/var/run/gantry.pid',
    registryDirectory: '/etc/gantry/certs.d',
  },
  dockerd: {
    program: 'dockerd',
    configFile: '/etc/docker/daemon.json',
    host: 'unix:///var/run/docker.sock',
    pidfile: '/var/run/docker.pid',
    registryDirectory: '/etc/docker/certs.d',
  },
}

const MIB = 1024 * 1024

/** Flags and file, already free of conflicts, with the environment and the defaults. Throws Error for values that make no sense. */
export function daemonConfig(given: GivenOptions, persona: Persona, env: Environment = {}): DaemonConfig {
  checkValues(given)
  const hosts = given.host ?? []
  const debug = given.debug ?? false
  const certificates = join(homedir(), '.docker')
  const verify = given.tlsverify ?? false
  const level = given['log-level'] ?? 'info'
  return {
    dataRoot: absolute('data-root', given['data-root'] ?? '/var/lib/gantry'),
    execRoot: absolute('exec-root', given['exec-root'] ?? '/run/gantry'),
    pidfile: given.pidfile ?? persona.pidfile,
    hosts: hosts.length > 0 ? hosts.map((host) => (host === '' ? persona.host : host)) : [persona.host],
    group: { name: given.group ?? 'docker', explicit: given.group !== undefined },
    tls: {
      enabled: verify || (given.tls ?? false),
      plainAllowed: given.tls === false && !verify,
      verify,
      ca: given.tlscacert ?? join(certificates, 'ca.pem'),
      cert: given.tlscert ?? join(certificates, 'cert.pem'),
      key: given.tlskey ?? join(certificates, 'key.pem'),
    },
    log: { level: debug ? 'debug' : (level as LogLevel), format: (given['log-format'] ?? 'text') as 'text' | 'json' },
    debug,
    labels: given.label ?? [],
    experimental: given.experimental ?? false,
    minApiVersion: minApiVersion(given['min-api-version'] ?? env['DOCKER_MIN_API_VERSION'] ?? ''),
    shutdownTimeout: given['shutdown-timeout'] ?? 15,
    registries: {
      mirrors: [...new Set((given['registry-mirror'] ?? []).map(mirrorUrl))],
      insecure: [...new Set((given['insecure-registry'] ?? []).map(insecureRegistry))],
      configDirectory: absolute('registry-config-dir', given['registry-config-dir'] ?? persona.registryDirectory),
      maxConcurrentDownloads: given['max-concurrent-downloads'] ?? 3,
      maxConcurrentUploads: given['max-concurrent-uploads'] ?? 5,
      maxDownloadAttempts: given['max-download-attempts'] ?? 5,
      proxy: {
        http: given['http-proxy'] ?? proxyVariable(env, 'HTTP_PROXY'),
        https: given['https-proxy'] ?? proxyVariable(env, 'HTTPS_PROXY'),
        no: given['no-proxy'] ?? proxyVariable(env, 'NO_PROXY'),
      },
    },
    storage: { layerBlobs: layerBlobs(given['storage-opt'] ?? []) },
    builder: given.builder ?? DEFAULT_BUILDER,
    cdiSpecDirectories: cdiSpecDirectories(given['cdi-spec-dir'] ?? []),
    containers: {
      cgroupParent: given['cgroup-parent'] ?? '/gantry',
      cgroupnsMode: given['default-cgroupns-mode'] as 'private' | 'host' | undefined,
      ipcMode: (given['default-ipc-mode'] ?? 'private') as 'private' | 'shareable',
      shmSize: given['default-shm-size'] ?? 64 * MIB,
      init: given.init ?? false,
      noNewPrivileges: given['no-new-privileges'] ?? false,
      ulimits: given['default-ulimit'] ?? [],
      logConfig: { type: given['log-driver'] ?? 'json-file', config: given['log-opt'] ?? {} },
      runtime: given['default-runtime'] ?? 'gantry',
      seccompProfile: given['seccomp-profile'] ?? 'builtin',
    },
    network: {
      bip: given.bip ?? '',
      bip6: given.bip6 ?? '',
      bridge: given.bridge || 'gantry0',
      fixedCidr: given['fixed-cidr'] ?? '',
      fixedCidrV6: given['fixed-cidr-v6'] ?? '',
      defaultGateway: given['default-gateway'] ?? '',
      defaultGatewayV6: given['default-gateway-v6'] ?? '',
      addressPools: given['default-address-pool'] ?? [],
      mtu: given.mtu ?? 1500,
      bindAddress: given.ip ?? '0.0.0.0',
      icc: given.icc ?? true,
      ipForward: given['ip-forward'] ?? true,
      ipMasq: given['ip-masq'] ?? true,
      firewall: given.iptables ?? true,
      firewall6: given.ip6tables ?? given.iptables ?? true,
      ipv6: given.ipv6 ?? false,
      allowDirectRouting: given['allow-direct-routing'] ?? false,
      defaultOptions: given['default-network-opt'] ?? {},
      dns: given.dns ?? [],
      dnsOptions: given['dns-opt'] ?? [],
      dnsSearch: given['dns-search'] ?? [],
      hostGatewayIps: given['host-gateway-ip'] ?? [],
    },
  }
}

/** Values of a closed set; dockerd's texts where it has one. */
function checkValues(given: GivenOptions): void {
  const oneOf = (name: keyof GivenOptions, allowed: readonly unknown[], text: (value: unknown) => string): void => {
    const value = given[name]
    if (value !== undefined && !allowed.includes(value)) throw new Error(text(value))
  }
  oneOf('log-level', LOG_LEVELS, (value) => `invalid logging level: ${String(value)}`)
  oneOf('log-format', ['text', 'json'], (value) => `invalid log format: ${String(value)}`)
  oneOf('default-ipc-mode', ['private', 'shareable'], (value) => `IPC mode "${String(value)}" is not supported as default value`)
  oneOf(
    'default-cgroupns-mode',
    ['private', 'host'],
    (value) => `default cgroup namespace mode (${String(value)}) is invalid. Use "host" or "private"`,
  )
  oneOf('default-runtime', ['gantry'], (value) => `specified default runtime '${String(value)}' does not exist`)
  oneOf('storage-driver', ['overlay2', ''], (value) => `storage driver ${String(value)} is not supported: overlay2 is the one there is`)
  oneOf('live-restore', [true], () => 'live-restore=false is not supported: containers always outlive the daemon')
  oneOf('firewall-backend', ['nftables', ''], (value) => `firewall-backend ${String(value)} is not supported: nftables is the one there is`)
  oneOf('userland-proxy', [false], () => 'userland-proxy=true is not supported: ports are published by the kernel alone')
  if (given.bridge === 'none') throw new Error('bridge=none is not supported yet')
  for (const option of given['exec-opt'] ?? []) {
    if (option !== 'native.cgroupdriver=cgroupfs')
      throw new Error(`exec-opt ${option} is not supported: native.cgroupdriver=cgroupfs is the one there is`)
  }
  for (const [name, least, label] of LIMITS) {
    const value = given[name]
    if (value !== undefined && value < least) throw new Error(`invalid ${label}: ${value}`)
  }
}

const LIMITS = [
  ['mtu', 0, 'default MTU'],
  ['max-concurrent-downloads', 0, 'max concurrent downloads'],
  ['max-concurrent-uploads', 0, 'max concurrent uploads'],
  ['max-download-attempts', 1, 'max download attempts'],
] as const

/** Empty: not said. */
function minApiVersion(text: string): string | undefined {
  if (text === '') return undefined
  const version = parseVersion(text)
  if (version === undefined) throw new Error(`invalid minimum API version: ${text}`)
  if (version < MIN_API_VERSION) throw new Error(`minimum supported API version is ${formatVersion(MIN_API_VERSION)}: ${text}`)
  if (version > MAX_API_VERSION) throw new Error(`maximum supported API version is ${formatVersion(MAX_API_VERSION)}: ${text}`)
  return text
}

/** Both spellings are in use; the first one that says something counts. */
function proxyVariable(env: Environment, name: string): string {
  return env[name] || env[name.toLowerCase()] || ''
}

/** One that is empty switches devices off, as with dockerd. */
function cdiSpecDirectories(given: readonly string[]): string[] {
  if (given.length === 0) return ['/etc/cdi', '/var/run/cdi']
  return given.length === 1 && given[0] === '' ? [] : given.map((directory) => absolute('cdi-spec-dir', directory))
}

/** The storage options: dockerd's list of `key=value` has one key here. */
function layerBlobs(options: readonly string[]): LayerBlobs {
  let policy: LayerBlobs = 'keep'
  for (const option of options) {
    const [key, value] = option.split('=', 2)
    if (key !== 'gantry.layer-blobs') throw new Error(`storage-opt ${option} is not supported: gantry.layer-blobs is the one there is`)
    if (value !== 'keep' && value !== 'discard') throw new Error(`invalid storage-opt ${option}: gantry.layer-blobs is keep or discard`)
    policy = value
  }
  return policy
}

function absolute(name: string, path: string): string {
  if (!isAbsolute(path)) throw new Error(`${name} must be an absolute path: ${path}`)
  return path
}
