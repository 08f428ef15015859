/**
 * The daemon's options, one row each: the flag of the command line and the key of daemon.json, both named as dockerd's.
 * What dockerd has and is not in this table is in {@link UNSUPPORTED}: refused by name, never ignored.
 */

import type { BuilderOptions } from './builder-values.ts'

export interface Ulimit {
  name: string
  soft: number
  hard: number
}

export interface AddressPool {
  base: string
  size: number
}

/** Options of new networks by driver. */
export type DriverOptions = Record<string, Record<string, string>>

export type OptionKind = 'string' | 'boolean' | 'integer' | 'bytes' | 'list' | 'map' | 'ulimits' | 'pools' | 'driver-options' | 'builder'

export interface OptionRow {
  readonly flag: string
  readonly short?: string
  /** Only a key. */
  readonly fileOnly?: true
  /** Key in daemon.json where it is not the flag's name (`proxies.x`: member of an object); `false`: only a flag. */
  readonly key?: string | false
  readonly kind: OptionKind
  /** What help shows as the value. */
  readonly value?: string
  readonly help: string
  /** SIGHUP takes over a new value. */
  readonly reload?: true
}

/** Every option with the type of its value. */
export interface OptionValues {
  'allow-direct-routing': boolean
  bip: string
  bip6: string
  bridge: string
  builder: BuilderOptions
  'cdi-spec-dir': string[]
  'cgroup-parent': string
  'config-file': string
  'data-root': string
  debug: boolean
  'default-address-pool': AddressPool[]
  'default-cgroupns-mode': string
  'default-gateway': string
  'default-gateway-v6': string
  'default-ipc-mode': string
  'default-network-opt': DriverOptions
  'default-runtime': string
  'default-shm-size': number
  'default-ulimit': Ulimit[]
  dns: string[]
  'dns-opt': string[]
  'dns-search': string[]
  'exec-opt': string[]
  'exec-root': string
  experimental: boolean
  'firewall-backend': string
  'fixed-cidr': string
  'fixed-cidr-v6': string
  group: string
  host: string[]
  'host-gateway-ip': string[]
  'http-proxy': string
  'https-proxy': string
  icc: boolean
  init: boolean
  'insecure-registry': string[]
  ip: string
  'ip-forward': boolean
  'ip-masq': boolean
  ip6tables: boolean
  iptables: boolean
  ipv6: boolean
  label: string[]
  'live-restore': boolean
  'log-driver': string
  'log-format': string
  'log-level': string
  'log-opt': Record<string, string>
  'max-concurrent-downloads': number
  'max-concurrent-uploads': number
  'max-download-attempts': number
  'min-api-version': string
  mtu: number
  'no-new-privileges': boolean
  'no-proxy': string
  pidfile: string
  'raw-logs': boolean
  'registry-config-dir': string
  'registry-mirror': string[]
  'seccomp-profile': string
  'shutdown-timeout': number
  'storage-driver': string
  'storage-opt': string[]
  tls: boolean
  tlscacert: string
  tlscert: string
  tlskey: string
  tlsverify: boolean
  'userland-proxy': boolean
  validate: boolean
  version: boolean
  help: boolean
}

export type OptionName = keyof OptionValues

const rows: Record<OptionName, Omit<OptionRow, 'flag'>> = {
  'allow-direct-routing': { kind: 'boolean', help: 'Let containers be reached from other hosts past their published ports' },
  bip: { kind: 'string', help: 'Address of the default bridge in CIDR notation, e.g. 172.17.0.1/16' },
  bip6: { kind: 'string', help: 'IPv6 address of the default bridge in CIDR notation, e.g. fd00:1::1/64' },
  bridge: { kind: 'string', short: 'b', help: 'Interface of the default bridge (default "gantry0")' },
  builder: { kind: 'builder', fileOnly: true, help: 'Collection of the build cache, and what builds may do' },
  'cdi-spec-dir': { kind: 'list', key: 'cdi-spec-dirs', help: 'Directory of CDI specifications (default "/etc/cdi" and "/var/run/cdi")' },
  'cgroup-parent': { kind: 'string', help: 'Parent cgroup of all containers (default "/gantry")' },
  'config-file': { kind: 'string', key: false, help: 'Daemon configuration file' },
  'data-root': { kind: 'string', help: 'Directory of persistent state (default "/var/lib/gantry")' },
  debug: { kind: 'boolean', short: 'D', reload: true, help: 'Log at level debug' },
  'default-address-pool': {
    kind: 'pools',
    key: 'default-address-pools',
    value: 'pool-options',
    help: 'Pool for networks: base=CIDR,size=BITS',
  },
  'default-cgroupns-mode': { kind: 'string', help: 'Cgroup namespace of containers ("host" or "private")' },
  'default-gateway': { kind: 'string', value: 'ip', help: 'IPv4 gateway of containers on the default bridge' },
  'default-gateway-v6': { kind: 'string', value: 'ip', help: 'IPv6 gateway of containers on the default bridge' },
  'default-ipc-mode': { kind: 'string', help: 'IPC mode of containers ("shareable" or "private")' },
  'default-network-opt': {
    kind: 'driver-options',
    key: 'default-network-opts',
    help: 'Option of new networks: driver=key=value',
  },
  'default-runtime': { kind: 'string', help: 'OCI runtime of containers (default "gantry")' },
  'default-shm-size': { kind: 'bytes', reload: true, help: 'Size of /dev/shm in containers (default 64MiB)' },
  'default-ulimit': { kind: 'ulimits', key: 'default-ulimits', help: 'Ulimits of containers: name=soft[:hard]' },
  dns: { kind: 'list', help: 'DNS server of containers' },
  'dns-opt': { kind: 'list', key: 'dns-opts', help: 'DNS option of containers' },
  'dns-search': { kind: 'list', help: 'DNS search domain of containers' },
  'exec-opt': { kind: 'list', key: 'exec-opts', help: 'Runtime option; native.cgroupdriver=cgroupfs is the one there is' },
  'exec-root': { kind: 'string', help: 'Directory of state that lives with the machine (default "/run/gantry")' },
  experimental: { kind: 'boolean', help: 'Say in answers that this daemon is experimental' },
  'firewall-backend': { kind: 'string', help: 'Backend of firewall rules: nftables is the one there is' },
  'fixed-cidr': { kind: 'string', help: 'Range of addresses on the default bridge' },
  'fixed-cidr-v6': { kind: 'string', help: 'Range of IPv6 addresses on the default bridge' },
  group: { kind: 'string', short: 'G', help: 'Group of the unix socket (default "docker")' },
  host: { kind: 'list', short: 'H', key: 'hosts', help: 'Where to listen: unix://PATH, tcp://HOST:PORT' },
  'host-gateway-ip': { kind: 'list', key: 'host-gateway-ips', value: 'ip', help: 'Address that "host-gateway" of --add-host stands for' },
  'http-proxy': { kind: 'string', key: 'proxies.http-proxy', help: 'Proxy for requests to registries over HTTP (default: $HTTP_PROXY)' },
  'https-proxy': {
    kind: 'string',
    key: 'proxies.https-proxy',
    help: 'Proxy for requests to registries over HTTPS (default: $HTTPS_PROXY)',
  },
  icc: { kind: 'boolean', help: 'Let containers of the default bridge talk to each other (default true)' },
  init: { kind: 'boolean', help: 'Run an init in every container that forwards signals and reaps processes' },
  'insecure-registry': {
    kind: 'list',
    key: 'insecure-registries',
    reload: true,
    value: 'registry',
    help: 'Registry whose certificate is not checked and that may speak plain HTTP: HOST[:PORT] or CIDR',
  },
  ip: { kind: 'string', value: 'ip', help: 'Address published ports bind to (default 0.0.0.0)' },
  'ip-forward': { kind: 'boolean', help: 'Turn on net.ipv4.ip_forward (default true)' },
  'ip-masq': { kind: 'boolean', help: 'Masquerade traffic of the default bridge (default true)' },
  ip6tables: { kind: 'boolean', help: 'Make firewall rules for IPv6 (default: as --iptables)' },
  iptables: { kind: 'boolean', help: 'Make firewall rules (default true)' },
  ipv6: { kind: 'boolean', help: 'IPv6 on the default bridge' },
  label: { kind: 'list', key: 'labels', reload: true, help: 'Label of the daemon: key=value' },
  'live-restore': { kind: 'boolean', reload: true, help: 'Containers outlive the daemon; the only way here' },
  'log-driver': { kind: 'string', help: 'Log driver of containers: json-file or none (default "json-file")' },
  'log-format': { kind: 'string', help: 'Format of the daemon\'s own log: text or json (default "text")' },
  'log-level': { kind: 'string', short: 'l', help: 'Level of the daemon\'s own log: debug, info, warn, error, fatal (default "info")' },
  'log-opt': { kind: 'map', key: 'log-opts', help: 'Option of the log driver: key=value' },
  'max-concurrent-downloads': { kind: 'integer', reload: true, help: 'Layers downloaded at a time by each pull; 0: no limit (default 3)' },
  'max-concurrent-uploads': { kind: 'integer', reload: true, help: 'Layers uploaded at a time by each push; 0: no limit (default 5)' },
  'max-download-attempts': { kind: 'integer', reload: true, help: 'Attempts at each download (default 5)' },
  'min-api-version': { kind: 'string', help: 'Oldest API version that is served (default "1.24")' },
  mtu: { kind: 'integer', help: 'MTU of the default bridge (default 1500)' },
  'no-new-privileges': { kind: 'boolean', help: 'Set no_new_privs in containers by default' },
  'no-proxy': { kind: 'string', key: 'proxies.no-proxy', help: 'Hosts that are asked without proxy (default: $NO_PROXY)' },
  pidfile: { kind: 'string', short: 'p', help: "File of the daemon's pid" },
  'raw-logs': { kind: 'boolean', help: "No colours in the daemon's own log; there are none" },
  'registry-config-dir': { kind: 'string', help: 'Directory of hosts.toml files and certificates of registries' },
  'registry-mirror': { kind: 'list', key: 'registry-mirrors', reload: true, value: 'url', help: 'Mirror of Docker Hub, asked before it' },
  'seccomp-profile': { kind: 'string', help: 'Default seccomp profile: path, "builtin" or "unconfined"' },
  'shutdown-timeout': { kind: 'integer', reload: true, help: 'Seconds open requests get to end when the daemon stops (default 15)' },
  'storage-driver': { kind: 'string', short: 's', help: 'Storage driver: overlay2 is the one there is' },
  'storage-opt': { kind: 'list', key: 'storage-opts', help: 'Storage option: gantry.layer-blobs=keep or discard (default "keep")' },
  tls: { kind: 'boolean', help: 'TLS on tcp:// sockets; --tls=false allows plain TCP on any address' },
  tlscacert: { kind: 'string', help: 'Trust clients whose certificate this CA signed (default "~/.docker/ca.pem")' },
  tlscert: { kind: 'string', help: 'Certificate of the daemon (default "~/.docker/cert.pem")' },
  tlskey: { kind: 'string', help: 'Key of the daemon (default "~/.docker/key.pem")' },
  tlsverify: { kind: 'boolean', help: 'TLS, and clients must show a certificate' },
  'userland-proxy': { kind: 'boolean', help: 'Only false: ports are published by the kernel alone' },
  validate: { kind: 'boolean', key: false, help: 'Check the configuration and exit' },
  version: { kind: 'boolean', short: 'v', key: false, help: 'Print the version and exit' },
  help: { kind: 'boolean', key: false, help: 'Print this help and exit' },
}

export const OPTIONS: readonly (OptionRow & { flag: OptionName })[] = Object.entries(rows).map(([flag, row]) => ({
  flag: flag as OptionName,
  ...row,
}))

/** Flags and keys of dockerd that Gantry refuses. */
export const UNSUPPORTED: ReadonlySet<string> = new Set([
  'add-runtime',
  'runtimes',
  'authorization-plugin',
  'authorization-plugins',
  'bridge-accept-fwmark',
  'containerd',
  'containerd-namespace',
  'containerd-plugin-namespace',
  'cpu-rt-period',
  'cpu-rt-runtime',
  'cri-containerd',
  'feature',
  'features',
  'init-path',
  'ip-forward-no-drop',
  'metrics-addr',
  'network-control-plane-mtu',
  'node-generic-resource',
  'node-generic-resources',
  'rootless',
  'selinux-enabled',
  'swarm-default-advertise-addr',
  'userland-proxy-path',
  'userns-remap',
])

/** Key of daemon.json, or undefined for what is only a flag. */
export function keyOf({ flag, key }: OptionRow): string | undefined {
  return key === false ? undefined : (key ?? flag)
}
