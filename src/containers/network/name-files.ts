import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { hostResolvConf, hostsFile, resolvConf, type Endpoint } from '#networks'
import type { Context } from '../context.ts'
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
 * same names. The files are written in place: they may be mounted.
 */
export function prepareNameFiles(ctx: Context, container: Container, endpoints: readonly Endpoint[]): NameFiles {
  const { config, hostConfig, hostnamePath, hostsPath, resolvConfPath } = container
  const network = networkOf(hostConfig)
  if (network === 'container') {
    const peer = ctx.store.find(hostConfig.networkMode.slice('container:'.length)).record
    const { hostname, domainname } = peer.config
    return {
      hostnamePath: peer.hostnamePath,
      hostsPath: peer.hostsPath,
      resolvConfPath: peer.resolvConfPath,
      config: { ...config, hostname, domainname },
    }
  }
  const { hostname, domainname } = config
  mkdirSync(ctx.deps.paths.nameDirectory(container.id), { recursive: true, mode: 0o711 })
  write(hostnamePath, `${domainname === '' ? hostname : `${hostname}.${domainname}`}\n`)
  const addresses = endpoints.flatMap(({ ipv4Address, ipv6Address }) => [ipv4Address, ipv6Address].filter((address) => address !== ''))
  const links = linkedHosts(ctx, container)
  const hosts = { hostname, domainname, addresses, links, extraHosts: hostConfig.extraHosts, hostGateway: hostGateway(ctx) }
  write(hostsPath, hostsFile(network === 'host' ? { ...hosts, base: textOf('/etc/hosts') } : hosts))
  write(resolvConfPath, resolvConfText(ctx, container, endpoints))
  return { hostnamePath, hostsPath, resolvConfPath, config }
}

/**
 * A running container has got its first network with names: from now on it asks the resolver for them. A file that the container has changed is its
 * own business, as with Docker. It does not go back when the network does: the resolver answers for as long as the container runs.
 */
export function followResolver(ctx: Context, container: Container, before: readonly Endpoint[], after: readonly Endpoint[]): void {
  if (hasResolver(before) || !hasResolver(after)) return
  const written = resolvConfText(ctx, container, before)
  changeInPlace(container.resolvConfPath, (text) => (text === written ? resolvConfText(ctx, container, after) : text))
}

/** On the default networks names are not answered, so the servers are asked directly. */
function hasResolver(endpoints: readonly Endpoint[]): boolean {
  return endpoints.some(({ networkName }) => !isPredefined(networkName))
}

function resolvConfText(ctx: Context, { hostConfig }: Container, endpoints: readonly Endpoint[]): string {
  const { dns, dnsSearch, dnsOptions } = ctx.deps.defaults()
  const hostPath = hostResolvConf(textOf('/etc/resolv.conf'))
  return resolvConf({
    hostText: textOf(hostPath),
    hostPath,
    servers: hostConfig.dns.length > 0 ? hostConfig.dns : dns,
    search: hostConfig.dnsSearch.length > 0 ? hostConfig.dnsSearch : dnsSearch,
    options: hostConfig.dnsOptions.length > 0 ? hostConfig.dnsOptions : dnsOptions,
    sharesHostNetwork: networkOf(hostConfig) === 'host',
    ownResolver: hasResolver(endpoints),
    ipv6: endpoints.some(({ ipv6Address }) => ipv6Address !== ''),
  })
}

/** Daemon's setting, else the default bridge's gateway; empty when there is none. */
function hostGateway(ctx: Context): string {
  const [configured] = ctx.deps.defaults().hostGatewayIps
  if (configured !== undefined) return configured
  const bridge = ctx.deps.networks.list().find(({ name }) => name === 'bridge')
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
