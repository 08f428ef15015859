import type { Conntrack, NftOperation, Nftables, RouteNetlink, Sysctls } from '#kernel'
import type { Family } from '../ipam/ip-address.ts'
import { type FirewallNetwork, type PublishedPort, changeNetworks, changePorts, familyOf } from './firewall-elements.ts'
import { FIREWALL_TABLES, FORWARD_GUARD, firewallRules } from './firewall-rules.ts'
import { enableForwarding } from './forwarding.ts'

const IPPROTO_UDP = 17

/** Our two tables, kept equal to what is asked for. Rules of others are never read or written. IPv6 is left alone until a network has it. */
export interface Firewall {
  /** Makes the tables anew for these networks and ports. */
  rebuild(networks: readonly FirewallNetwork[], published: readonly PublishedPort[]): void
  addNetwork(network: FirewallNetwork): void
  removeNetwork(network: FirewallNetwork): void
  /** Publishes and withdraws in one transaction per family: ports that move are never without a place. */
  change(ports: { publish?: readonly PublishedPort[]; withdraw?: readonly PublishedPort[] }): void
  /**
   * After ports changed: who kept sending to a UDP port from one port of its own (a DNS forwarder, a metrics client) has a connection without translation,
   * or to a container that is gone, and would stay with it for as long as packets come.
   */
  forgetOldFlows(ports: readonly PublishedPort[]): Promise<void>
}

/** `enabled` false for a family: `--iptables=false`, `--ip6tables=false`, nothing is touched. */
export function createFirewall(deps: {
  nftables: Nftables
  conntrack: Conntrack
  route: RouteNetlink
  sysctls: Sysctls
  enabled: Record<Family, boolean>
  ipForward: boolean
}): Firewall {
  const { nftables } = deps
  const networks = new Map<string, FirewallNetwork>()
  const published = new Map<string, PublishedPort>()
  /** Families that have their table. Value: whether it guards forwarding. */
  const active = new Map<Family, boolean>()

  /** Owned, so that `nft flush ruleset` or a reload of the distribution's rules does not open every container; as firewalld does. */
  function replaceTable(family: Family): void {
    const rules = (owned: boolean): NftOperation[] =>
      firewallRules(family, [...networks.values()], [...published.values()], active.get(family) === true, owned)
    try {
      nftables.apply(FIREWALL_TABLES[family], rules(true))
    } catch (error) {
      const { code = '' } = error as { code?: string }
      // Node spells EOPNOTSUPP, which is the same number on Linux, ENOTSUP.
      if (!['ENOTSUP', 'EOPNOTSUPP', 'EINVAL'].includes(code)) throw error
      nftables.apply(FIREWALL_TABLES[family], rules(false))
    }
  }

  /** A kernel before 6.9 owns no tables: there a flush takes ours along, and it is made anew. */
  function applyOrReplace(family: Family, operations: readonly NftOperation[]): void {
    if (!active.has(family) || operations.length === 0) return
    try {
      nftables.apply(FIREWALL_TABLES[family], operations)
    } catch (error) {
      if ((error as { code?: string }).code !== 'ENOENT') throw error
      replaceTable(family)
    }
  }

  /** Forwarding, and the table when there are rules to be made; its guard if it was us who turned forwarding on, now or as an earlier daemon. */
  function activate(family: Family): void {
    const turnedOn = deps.ipForward && enableForwarding(family, deps)
    if (!deps.enabled[family]) return
    const guarded = deps.ipForward && (turnedOn || nftables.chains(FIREWALL_TABLES[family]).includes(FORWARD_GUARD))
    active.set(family, guarded)
    replaceTable(family)
  }

  function needs(family: Family): boolean {
    return family === 4 || [...networks.values()].some(({ families }) => families[family] !== undefined)
  }

  return {
    rebuild(allNetworks, ports) {
      networks.clear()
      for (const network of allNetworks) networks.set(network.bridge, network)
      published.clear()
      for (const port of ports) published.set(keyOf(port), port)
      for (const family of [4, 6] as const) if (needs(family)) activate(family)
    },
    addNetwork(network) {
      networks.set(network.bridge, network)
      for (const family of [4, 6] as const) {
        if (active.has(family)) applyOrReplace(family, changeNetworks('add-elements', family, [network]))
        else if (needs(family)) activate(family)
      }
    },
    removeNetwork(network) {
      networks.delete(network.bridge)
      for (const family of active.keys()) applyOrReplace(family, changeNetworks('delete-elements', family, [network]))
    },
    change({ publish = [], withdraw = [] }) {
      for (const port of withdraw) published.delete(keyOf(port))
      for (const port of publish) published.set(keyOf(port), port)
      try {
        for (const family of active.keys()) {
          const operations = [...changePorts('delete-elements', family, withdraw), ...changePorts('add-elements', family, publish)]
          applyOrReplace(family, operations)
        }
      } catch (error) {
        for (const port of publish) published.delete(keyOf(port))
        throw error
      }
    },
    async forgetOldFlows(ports) {
      const flows = ports
        .filter(({ binding }) => binding.protocol === 'udp' && binding.hostPort !== 0 && active.has(familyOf(binding)))
        .map(({ binding }) => ({ family: familyOf(binding), protocol: IPPROTO_UDP, destinationPort: binding.hostPort }))
      if (flows.length === 0) return
      try {
        await deps.conntrack.forget(flows)
      } catch {
        // A kernel without ctnetlink: those clients find the container after 30 s of silence. No reason not to start it.
      }
    },
  }
}

function keyOf({ binding, containerAddress }: PublishedPort): string {
  return `${binding.protocol}/${binding.hostIp}/${binding.hostPort}/${containerAddress}/${binding.containerPort}`
}
