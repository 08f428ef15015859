import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ETC_RESOLV_CONF, hostResolvConf, hostsFile, resolvConf, type Endpoint, type HostsFileRequest } from '#networks'
import type { ContainerDeps, Context } from '../context.ts'
import type { Container } from '../types.ts'
import { networkOf } from '../verify-config.ts'
import { linkedHosts } from './links.ts'
import { changeInPlace } from './live-hosts.ts'
import { isPredefined } from './predefined.ts'

/** Names of the three files in the container's directory. */
export const NAME_FILES = ['hostname', 'hosts', 'resolv.conf'] as const

/** Host paths of the three files that are mounted over /etc in the container, and the names in them. */
export type NameFiles = Pick<Container, 'hostnamePath' | 'hostsPath' | 'resolvConfPath' | 'config'>

/**
 * Writes hostname, hosts and resolv.conf for a start. A container in another one's network has that one's files and host name, so that both see the
 * same names. The files are written in place: they may be mounted. What the record says of their places is not believed: earlier versions had them below the exec
 * root, which is empty after a start of the machine.
 */
export function prepareNameFiles(ctx: Context, container: Container, endpoints: readonly Endpoint[]): NameFiles {
  const { config } = container
  if (networkOf(container.hostConfig) === 'container') {
    const peer = ctx.store.find(container.hostConfig.networkMode.slice('container:'.length)).record
    const { hostname, domainname } = peer.config
    return {
      hostnamePath: peer.hostnamePath,
      hostsPath: peer.hostsPath,
      resolvConfPath: peer.resolvConfPath,
      config: { ...config, hostname, domainname },
    }
  }
  const paths = nameFilePaths(ctx.deps.paths.containerDirectory(container.id))
  const texts = nameFileTexts(ctx.deps, { ...nameRequest(container, endpoints), links: linkedHosts(ctx, container) })
  write(paths.hostnamePath, texts.hostname)
  write(paths.hostsPath, texts.hosts)
  write(paths.resolvConfPath, texts.resolvConf)
  return { ...paths, config }
}

/** Where they are in the container's directory. */
export function nameFilePaths(directory: string): Omit<NameFiles, 'config'> {
  return { hostnamePath: join(directory, 'hostname'), hostsPath: join(directory, 'hosts'), resolvConfPath: join(directory, 'resolv.conf') }
}

/** What the files tell of one program's place on its networks. */
export interface NameFilesRequest {
  hostname: string
  domainname: string
  endpoints: readonly Endpoint[]
  sharesHostNetwork: boolean
  /** `name:address`, the address may be `host-gateway`. */
  extraHosts: readonly string[]
  links: NonNullable<HostsFileRequest['links']>
  /** Empty: the daemon's settings, else the host's. */
  dns: readonly string[]
  dnsSearch: readonly string[]
  dnsOptions: readonly string[]
}

function nameRequest({ config, hostConfig }: Container, endpoints: readonly Endpoint[]): NameFilesRequest {
  const { hostname, domainname } = config
  const { extraHosts, dns, dnsSearch, dnsOptions } = hostConfig
  const sharesHostNetwork = networkOf(hostConfig) === 'host'
  return { hostname, domainname, endpoints, sharesHostNetwork, extraHosts, links: [], dns, dnsSearch, dnsOptions }
}

/** Contents of the three files. Throws INVALID_ARGUMENT for extra hosts that are none. */
export function nameFileTexts(
  deps: Pick<ContainerDeps, 'networks' | 'defaults'>,
  request: NameFilesRequest,
): { hostname: string; hosts: string; resolvConf: string } {
  const { hostname, domainname, endpoints, links, extraHosts } = request
  const addresses = endpoints.flatMap(({ ipv4Address, ipv6Address }) => [ipv4Address, ipv6Address].filter((address) => address !== ''))
  const hosts = { hostname, domainname, addresses, links, extraHosts, hostGateway: hostGateway(deps) }
  return {
    hostname: `${domainname === '' ? hostname : `${hostname}.${domainname}`}\n`,
    hosts: hostsFile(request.sharesHostNetwork ? { ...hosts, base: textOf('/etc/hosts') } : hosts),
    resolvConf: resolvConfText(deps, request),
  }
}

/**
 * A running container has got its first network with names: from now on it asks the resolver for them. A file that the container has changed is its
 * own business, as with Docker. It does not go back when the network does: the resolver answers for as long as the container runs.
 */
export function followResolver(ctx: Context, container: Container, before: readonly Endpoint[], after: readonly Endpoint[]): void {
  if (hasResolver(before) || !hasResolver(after)) return
  const textWith = (endpoints: readonly Endpoint[]): string => resolvConfText(ctx.deps, nameRequest(container, endpoints))
  const written = textWith(before)
  changeInPlace(container.resolvConfPath, (text) => (text === written ? textWith(after) : text))
}

/** On the default networks names are not answered, so the servers are asked directly. */
function hasResolver(endpoints: readonly Endpoint[]): boolean {
  return endpoints.some(({ networkName }) => !isPredefined(networkName))
}

function resolvConfText(deps: Pick<ContainerDeps, 'defaults'>, request: Omit<NameFilesRequest, 'hostname' | 'domainname'>): string {
  const { dns, dnsSearch, dnsOptions } = deps.defaults()
  const { endpoints, sharesHostNetwork } = request
  const etcText = textOf(ETC_RESOLV_CONF)
  const hostPath = hostResolvConf(etcText)
  return resolvConf({
    hostText: hostPath === ETC_RESOLV_CONF ? etcText : textOf(hostPath),
    hostPath,
    servers: request.dns.length > 0 ? request.dns : dns,
    search: request.dnsSearch.length > 0 ? request.dnsSearch : dnsSearch,
    options: request.dnsOptions.length > 0 ? request.dnsOptions : dnsOptions,
    sharesHostNetwork,
    ownResolver: hasResolver(endpoints),
    ipv6: endpoints.some(({ ipv6Address }) => ipv6Address !== ''),
  })
}

/** Daemon's setting, else the default bridge's gateway; empty when there is none. */
function hostGateway({ defaults, networks }: Pick<ContainerDeps, 'networks' | 'defaults'>): string {
  const [configured] = defaults().hostGatewayIps
  if (configured !== undefined) return configured
  const bridge = networks.list().find(({ name }) => name === 'bridge')
  return bridge?.ipam.config[0]?.gateway ?? ''
}

/** The daemon runs with umask 022, so that the container's users can read them. */
function write(path: string, text: string): void {
  writeFileSync(path, text, { mode: 0o644 })
}

/** A host without the file is one with an empty file. */
function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
