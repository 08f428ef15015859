import { internal } from '#errors'
import { MessageWriter, type NetnsPlan, type RouteNetlink, type Sysctls, encodeDeleteLink } from '#kernel'
import { createAddressPool } from '../ipam/address-pool.ts'
import { ensureBridge } from './bridge-interface.ts'
import { decideAddressing, ipamOf } from './bridge-network.ts'
import type { FirewallNetwork } from '../firewall/firewall-rules.ts'
import { type HostLinks, createHostLinks, isOurLink } from './host-links.ts'
import { formatIpv4, parseCidr, parseIpv4 } from '../ipam/ip-address.ts'
import { macOfAddress, macOfNetwork } from '../ipam/mac-address.ts'
import { bridgedNamespace } from './netns-plan.ts'
import type { Endpoint, IpamConfig, NetworkOptions, NetworkRecord, PortBinding } from '../types.ts'

/** Where a container is on the bridge, before anything exists in the kernel. */
export type Placement = Pick<
  Endpoint,
  'interfaceName' | 'hostInterface' | 'macAddress' | 'ipv4Address' | 'ipv4PrefixLength' | 'ipv4Gateway'
>

/** The default bridge of one host: its interface, addresses and the plans that put containers on it. */
export interface BridgeDriver {
  readonly firewallNetwork: FirewallNetwork
  readonly ipam: IpamConfig
  /** Chooses address, MAC and link names. Throws RESOURCE_EXHAUSTED. Undone by `remove`. */
  place(macAddress?: string): Placement
  remove(endpoint: Placement): void
  plan(endpoint: Placement, ports: readonly PortBinding[]): NetnsPlan
}

/**
 * Makes the bridge be there as recorded and asked for, and deletes links on it that belong to none of `known` (their namespace is kept alive by
 * something we know nothing of). Deleting one costs 10–30 ms, which is why only a start does it.
 */
export function startBridgeDriver(
  deps: { route: RouteNetlink; sysctls: Sysctls; options: NetworkOptions },
  record: NetworkRecord,
  known: { alive: readonly Endpoint[]; dead: readonly Endpoint[] },
): BridgeDriver {
  const { route, sysctls, options } = deps
  const ipamBefore = record.ipam.config[0]
  const addressing = decideAddressing(route, options, { ipam: ipamBefore, inUse: known.alive.length > 0 })
  const { subnet } = addressing
  const mac = macOfNetwork(record.id)
  const bridgeIndex = ensureBridge(route, {
    name: options.bridge,
    mac,
    mtu: options.mtu,
    address: addressing.address,
    prefixLength: subnet.prefixLength,
    ...formerAddress(ipamBefore),
  })
  // So that the host reaches containers from 127.0.0.1. The firewall keeps the way back shut: without it this must be off, whatever it was before.
  sysctls.write(`net/ipv4/conf/${options.bridge}/route_localnet`, options.firewall ? '1' : '0')
  const links = removeStrayLinks(route, bridgeIndex, [...known.alive, ...known.dead])
  const hasIPv6 = sysctls.read('net/ipv6/conf/default/disable_ipv6') !== undefined
  const pool = createAddressPool({
    subnet,
    ...(addressing.range !== undefined && { range: addressing.range }),
    linkExists: (name) => route.link({ name }) !== undefined,
  })
  // The dead's namespaces may be on their way out still: such an address stays away until the link is gone. Who has it now counts more: comes later.
  for (const endpoint of known.dead) pool.adopt(parseIpv4(endpoint.ipv4Address), endpoint.hostInterface)
  for (const endpoint of known.alive) pool.adopt(parseIpv4(endpoint.ipv4Address))
  for (const address of [addressing.address, addressing.gateway]) pool.adopt(address)

  return {
    firewallNetwork: { bridge: options.bridge, subnet, masquerade: options.ipMasq, icc: options.icc },
    ipam: ipamOf(addressing),
    place(macAddress) {
      const address = pool.allocate()
      return {
        interfaceName: 'eth0',
        hostInterface: links.next().name,
        macAddress: macAddress ?? macOfAddress(address),
        ipv4Address: formatIpv4(address),
        ipv4PrefixLength: subnet.prefixLength,
        ipv4Gateway: formatIpv4(addressing.gateway),
      }
    },
    remove(endpoint) {
      pool.release(parseIpv4(endpoint.ipv4Address), endpoint.hostInterface)
    },
    plan(endpoint, ports) {
      // br_netfilter, where somebody (Kubernetes, an older Docker) has it on, sends bridged packets through our rules: they keep containers apart
      // then, and translate before the bridge has looked at the frame, which for a container that calls itself goes back by the same port.
      const filtersBridged = sysctls.read('net/bridge/bridge-nf-call-iptables') === '1'
      return bridgedNamespace({
        hostLink: { name: endpoint.hostInterface, index: Number.parseInt(endpoint.hostInterface.slice('veth'.length), 16) },
        bridgeIndex,
        interfaceName: endpoint.interfaceName,
        mac: endpoint.macAddress,
        mtu: options.mtu,
        address: parseIpv4(endpoint.ipv4Address),
        prefixLength: endpoint.ipv4PrefixLength,
        gateway: addressing.gateway,
        isolated: !options.icc && !filtersBridged,
        hairpin: filtersBridged && ports.length > 0,
        disableIPv6: hasIPv6,
        reserve: hasSctp(sysctls) ? ports : ports.filter(({ protocol }) => protocol !== 'sctp'),
      })
    },
  }
}

/** Translation knows SCTP without the kernel having it; a socket to hold the port with cannot be had then, nor can anybody else have one. */
function hasSctp(sysctls: Sysctls): boolean {
  return sysctls.read('net/sctp/sack_timeout') !== undefined
}

function formerAddress(ipam: IpamConfig | undefined): { former?: { address: number; prefixLength: number } } {
  if (ipam?.gateway === undefined) return {}
  return { former: { address: parseIpv4(ipam.gateway), prefixLength: parseCidr(ipam.subnet).subnet.prefixLength } }
}

function removeStrayLinks(route: RouteNetlink, bridgeIndex: number, known: readonly Endpoint[]): HostLinks {
  const names = new Set(known.map((endpoint) => endpoint.hostInterface))
  const existing = route.links()
  for (const link of existing) {
    if (link.master !== bridgeIndex || !isOurLink(link) || names.has(link.name)) continue
    const writer = new MessageWriter()
    encodeDeleteLink(writer, { index: link.index })
    try {
      route.send(writer.finish())
    } catch (error) {
      // Gone by itself meanwhile.
      if ((error as { code?: string }).code !== 'ENODEV')
        throw internal(`Cannot delete stray link ${link.name}: ${(error as Error).message}`, error)
    }
  }
  return createHostLinks(existing)
}
