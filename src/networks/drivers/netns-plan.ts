import { MessageWriter, type NetnsPlan, encodeDeleteRoute, encodeNewAddress, encodeNewRoute, encodeSetLink } from '#kernel'
import { type Family, type IpAddress, addressBytes } from '../ipam/ip-address.ts'
import type { PortBinding } from '../types.ts'
import type { HostMessages, LinkConfiguration } from './driver.ts'

type NewNamespace = Extract<NetnsPlan, { mode: 'new' }>

/**
 * Index of the first interface inside, the others follow. Chosen, because the address is sent in the same breath as the interface is made, and
 * addresses want an index; and chosen high, because a namespace may begin with tunnel devices next to lo (net.core.fb_tunnels_only_for_init_net).
 */
export const FIRST_LINK_INDEX = 64

const LOOPBACK_INDEX = 1

/** A default route; without `gateway` by the link alone. */
export interface DefaultRoute {
  family: Family
  linkIndex: number
  gateway?: IpAddress
}

export interface NamespaceRequest {
  /** In the order of their indices. */
  links: { host: HostMessages[]; configuration: LinkConfiguration }[]
  routes: readonly DefaultRoute[]
  /** Ports of the host that are to be held. */
  reserve: readonly PortBinding[]
}

/** Everything that builds the network of a container that is about to start; the pid is filled in by who starts it. */
export function newNamespace({ links, routes, reserve }: NamespaceRequest): NewNamespace {
  const inside = new MessageWriter()
  encodeSetLink(inside, { index: LOOPBACK_INDEX }, { up: true })
  for (const { configuration } of links) configureLink(inside, configuration)
  for (const route of routes) setDefaultRoute(inside, route)
  return {
    mode: 'new',
    host: links.flatMap(({ host }) => host),
    inside: [inside.finish()],
    sysctls: links
      .flatMap(({ configuration }) => linkSysctls(configuration))
      .map(({ path, value }) => ({ path: `/proc/sys/${path}`, value })),
    reserve: reserve
      .filter(({ hostPort }) => hostPort !== 0)
      .map(({ protocol, hostIp, hostPort }) => ({ family: hostIp.includes(':') ? 6 : 4, protocol, address: hostIp, port: hostPort })),
  }
}

/** Addresses, and up. */
export function configureLink(writer: MessageWriter, { index, addresses }: LinkConfiguration): void {
  for (const { address, prefixLength } of addresses) {
    encodeNewAddress(writer, { linkIndex: index, address: addressBytes(address), prefixLength })
  }
  encodeSetLink(writer, { index }, { up: true })
}

/** Paths below /proc/sys. */
export function linkSysctls({ name, disableIPv6, sysctls }: LinkConfiguration): { path: string; value: string }[] {
  return [...(disableIPv6 ? [{ path: `net/ipv6/conf/${name}/disable_ipv6`, value: '1' }] : []), ...sysctls]
}

export function setDefaultRoute(writer: MessageWriter, route: DefaultRoute, replace = false): void {
  encodeNewRoute(writer, routeOf(route), replace)
}

export function deleteDefaultRoute(writer: MessageWriter, route: DefaultRoute): void {
  encodeDeleteRoute(writer, routeOf(route))
}

/** The namespace of a running process (`--network container:X`); `pid` is that of X's init. */
export function joinedNamespace(pid: number): NetnsPlan {
  return { mode: 'join', path: `/proc/${pid}/ns/net` }
}

function routeOf({ family, linkIndex, gateway }: DefaultRoute): Parameters<typeof encodeNewRoute>[1] {
  return { family, outLink: linkIndex, ...(gateway !== undefined && { gateway: addressBytes(gateway) }) }
}
