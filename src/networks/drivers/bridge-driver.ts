import { internal } from '#errors'
import { MessageWriter, type RouteNetlink, type Sysctls, encodeDeleteLink, encodeNewVeth, encodeSetBridgePort } from '#kernel'
import type { FirewallFamily, FirewallNetwork } from '../firewall/firewall-elements.ts'
import { type Family, parseAddress, parseCidr } from '../ipam/ip-address.ts'
import { macOfAddress, macOfNetwork } from '../ipam/mac-address.ts'
import { createNetworkAddresses } from '../ipam/network-addresses.ts'
import type { PublishSide } from '../ports/port-request.ts'
import type { IpamConfig, NetworkRecord } from '../types.ts'
import { type AddressOnLink, ensureBridge } from './bridge-interface.ts'
import { type BridgeSettings, bridgeSettings } from './bridge-settings.ts'
import type { HostMessages, NetworkDriver, Placement, WantedLink } from './driver.ts'
import type { HostLinks } from './host-links.ts'
import { placeOn } from './place.ts'

const FAMILIES: readonly Family[] = [4, 6]

export interface BridgeDeps {
  route: RouteNetlink
  sysctls: Sysctls
  links: HostLinks
  /** Rules are made: without them some doors must stay shut. */
  firewall: boolean
  /** Ports of containers may be reached past their publication. */
  allowDirectRouting: boolean
}

/** Makes the bridge be there as recorded. `former` is the configuration before the present one, whose addresses go. */
export function startBridgeDriver(deps: BridgeDeps, record: NetworkRecord, former: readonly IpamConfig[] = []): NetworkDriver {
  const { route, sysctls } = deps
  const settings = bridgeSettings(record)
  const { bridge } = settings
  const addresses = createNetworkAddresses({ ...record, config: record.ipam.config }, (name) => route.link({ name }) !== undefined)
  const { index: bridgeIndex, isOurs } = ensureBridge(route, {
    name: bridge,
    mac: macOfNetwork(record.id),
    mtu: settings.mtu,
    addresses: bridgeAddresses(record.ipam.config, settings),
    former: bridgeAddresses(former, settings),
  })
  const ownsLink = record.ownsLink ?? isOurs
  setUpSysctls(deps, bridge, { hasIPv6: addresses.has(6), ownsLink })

  function link(endpoint: Placement, { index, name, publishes }: WantedLink): HostMessages[] {
    const writer = new MessageWriter()
    const hostIndex = Number.parseInt(endpoint.hostInterface.slice('veth'.length), 16)
    const pidOffset = encodeNewVeth(writer, {
      name: endpoint.hostInterface,
      index: hostIndex,
      master: bridgeIndex,
      mtu: settings.mtu,
      peer: { index, name, mac: endpoint.macAddress, pid: 0 },
    })
    // br_netfilter, where somebody (Kubernetes, an older Docker) has it on, sends bridged packets through our rules: they keep containers apart
    // then, and translate before the bridge has looked at the frame, which for a container that calls itself goes back by the same port.
    const filtersBridged =
      filters(sysctls, 'net/bridge/bridge-nf-call-iptables') &&
      (!addresses.has(6) || filters(sysctls, 'net/bridge/bridge-nf-call-ip6tables'))
    const isolated = !settings.icc && !filtersBridged
    const hairpin = filtersBridged && publishes
    if (isolated || hairpin) encodeSetBridgePort(writer, hostIndex, { isolated, hairpin })
    return [{ bytes: writer.finish(), pidOffsets: [pidOffset] }]
  }

  return {
    record: ownsLink ? record : { ...record, ownsLink },
    firewall: firewallNetwork(record, settings),
    interfacePrefix: settings.interfacePrefix,
    sides: record.internal ? {} : publishSides(record, settings),
    trusted: settings.trusted,
    open: deps.allowDirectRouting,
    routesByLink: false,
    place(asked, disableIPv6) {
      const families = FAMILIES.filter((family) => addresses.has(family) && !(family === 6 && disableIPv6))
      const placement = placeOn(addresses, families, asked, macOfAddress)
      const { name } = deps.links.next()
      return { ...(record.internal ? { ...placement, ipv4Gateway: '', ipv6Gateway: '' } : placement), hostInterface: name }
    },
    adopt({ ipv4Address, ipv6Address, hostInterface }, isAlive) {
      // The namespaces of the dead may be on their way out still: such an address stays away until the link is gone.
      for (const address of [ipv4Address, ipv6Address]) {
        if (address !== '') addresses.adopt(address, isAlive ? undefined : hostInterface)
      }
    },
    remove({ ipv4Address, ipv6Address, hostInterface }) {
      for (const address of [ipv4Address, ipv6Address]) if (address !== '') addresses.release(address, hostInterface)
    },
    link,
    async delete() {
      if (!ownsLink) {
        // The firewall forgets this bridge: what keeps the host's 127.0.0.1 shut goes with it (CVE-2020-8558).
        const local = `net/ipv4/conf/${bridge}/route_localnet`
        if (deps.sysctls.read(local) !== undefined) deps.sysctls.write(local, '0')
        return
      }
      const writer = new MessageWriter()
      encodeDeleteLink(writer, { name: bridge })
      try {
        await route.sendInBackground(writer.finish())
      } catch (error) {
        // Somebody was quicker.
        if ((error as { code?: string }).code !== 'ENODEV')
          throw internal(`cannot delete bridge ${bridge}: ${(error as Error).message}`, error)
      }
    },
  }
}

/** The bridge's own addresses; none where there is no gateway, or where it is told to have none. */
function bridgeAddresses(configs: readonly IpamConfig[], { inhibitIPv4 }: BridgeSettings): AddressOnLink[] {
  return configs.flatMap(({ subnet, gateway }) => {
    const { prefixLength, family } = parseCidr(subnet).subnet
    if (gateway === undefined || gateway === '' || (inhibitIPv4 && family === 4)) return []
    return [{ address: parseAddress(gateway), prefixLength }]
  })
}

function firewallNetwork(record: NetworkRecord, { bridge, masquerade, icc, modes, hostAddresses }: BridgeSettings): FirewallNetwork {
  const families: Partial<Record<Family, FirewallFamily>> = {}
  for (const config of record.ipam.config) {
    const { subnet } = parseCidr(config.subnet)
    const hostAddress = hostAddresses[subnet.family]
    families[subnet.family] = { subnet, mode: modes[subnet.family], ...(hostAddress !== undefined && { hostAddress }) }
  }
  return { bridge, families, masquerade, icc, internal: record.internal }
}

function publishSides({ ipam }: NetworkRecord, { modes, hostBinding }: BridgeSettings): Partial<Record<Family, PublishSide>> {
  const sides: Partial<Record<Family, PublishSide>> = {}
  for (const { subnet } of ipam.config) {
    const { family } = parseCidr(subnet).subnet
    sides[family] = { defaultIp: hostBinding, routed: modes[family] === 'routed' }
  }
  return sides
}

/**
 * route_localnet: so that the host reaches containers from 127.0.0.1. The firewall keeps the way back shut: without it this must be off, whatever it was
 * before. IPv6: a bridge answers at once to its address and listens to no router behind it.
 */
function setUpSysctls(
  { sysctls, firewall }: BridgeDeps,
  bridge: string,
  { hasIPv6, ownsLink }: { hasIPv6: boolean; ownsLink: boolean },
): void {
  sysctls.write(`net/ipv4/conf/${bridge}/route_localnet`, firewall ? '1' : '0')
  // Attack: a container may send router advertisements also on a network without IPv6, and become the host's router (CVE-2020-13401). A bridge of
  // somebody else's may be the host's own way to its router.
  const listens = `net/ipv6/conf/${bridge}/accept_ra`
  if (ownsLink && (sysctls.read(listens) ?? '0') !== '0') sysctls.write(listens, '0')
  if (!hasIPv6 || sysctls.read(`net/ipv6/conf/${bridge}/disable_ipv6`) === undefined) return
  for (const [setting, value] of [
    ['disable_ipv6', '0'],
    ['accept_ra', '0'],
    ['accept_dad', '0'],
  ] as const) {
    const path = `net/ipv6/conf/${bridge}/${setting}`
    if (sysctls.read(path) !== value) sysctls.write(path, value)
  }
}

function filters(sysctls: Sysctls, setting: string): boolean {
  return sysctls.read(setting) === '1'
}
