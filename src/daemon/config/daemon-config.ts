import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import { LOG_LEVELS, type LogLevel } from '../logger.ts'
import type { GivenOptions } from './parse-flags.ts'
import type { AddressPool, Ulimit } from './options.ts'

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
  /** Seconds. */
  shutdownTimeout: number
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
    bridge: string
    fixedCidr: string
    defaultGateway: string
    addressPools: AddressPool[]
    mtu: number
    bindAddress: string
    icc: boolean
    ipForward: boolean
    ipMasq: boolean
    firewall: boolean
    dns: string[]
    dnsOptions: string[]
    dnsSearch: string[]
    hostGatewayIps: string[]
  }
}

/** Where things are unless said otherwise: `gantry daemon` keeps out of Docker's way, `dockerd` stands in its place. */
export interface Persona {
  program: 'gantry daemon' | 'dockerd'
  configFile: string
  host: string
  pidfile: string
}

export const PERSONAS: Record<'daemon' | 'dockerd', Persona> = {
  daemon: {
    program: 'gantry daemon',
    configFile: '/etc/gantry/daemon.json',
    host: 'unix:///var/run/gantry.sock',
    pidfile: '/var/run/gantry.pid',
  },
  dockerd: {
    program: 'dockerd',
    configFile: '/etc/docker/daemon.json',
    host: 'unix:///var/run/docker.sock',
    pidfile: '/var/run/docker.pid',
  },
}

const MIB = 1024 * 1024

/** Flags and file, already free of conflicts, with the defaults. Throws Error for values that make no sense. */
export function daemonConfig(given: GivenOptions, persona: Persona): DaemonConfig {
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
    shutdownTimeout: given['shutdown-timeout'] ?? 15,
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
      bridge: given.bridge || 'gantry0',
      fixedCidr: given['fixed-cidr'] ?? '',
      defaultGateway: given['default-gateway'] ?? '',
      addressPools: given['default-address-pool'] ?? [],
      mtu: given.mtu ?? 1500,
      bindAddress: given.ip ?? '0.0.0.0',
      icc: given.icc ?? true,
      ipForward: given['ip-forward'] ?? true,
      ipMasq: given['ip-masq'] ?? true,
      firewall: given.iptables ?? true,
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
  oneOf('userland-proxy', [false], () => 'userland-proxy=true is not supported: ports are published by the kernel alone')
  if (given.bridge === 'none') throw new Error('bridge=none is not supported yet')
  for (const option of given['exec-opt'] ?? []) {
    if (option !== 'native.cgroupdriver=cgroupfs')
      throw new Error(`exec-opt ${option} is not supported: native.cgroupdriver=cgroupfs is the one there is`)
  }
  const { mtu } = given
  if (mtu !== undefined && mtu < 0) throw new Error(`invalid default MTU: ${mtu}`)
}

function absolute(name: string, path: string): string {
  if (!isAbsolute(path)) throw new Error(`${name} must be an absolute path: ${path}`)
  return path
}
