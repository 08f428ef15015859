import type { Conntrack, Nftables, Sysctls } from '#kernel'
import {
  FIREWALL_TABLE,
  FORWARD_GUARD,
  type FirewallNetwork,
  type PublishedPort,
  firewallRules,
  publishOperations,
  withdrawOperations,
} from './firewall-rules.ts'

const IPPROTO_UDP = 17

/** The one table of ours, kept equal to what is asked for. Rules of others are never read or written. */
export interface Firewall {
  /** Makes the table anew for these networks and ports. */
  rebuild(networks: readonly FirewallNetwork[], published: readonly PublishedPort[]): void
  publish(ports: readonly PublishedPort[]): void
  withdraw(ports: readonly PublishedPort[]): void
  /**
   * After `publish`: who kept sending to a UDP port from one port of its own (a DNS forwarder, a metrics client) has a connection without translation,
   * or to a container that is gone, and would stay with it for as long as packets come.
   */
  forgetOldFlows(ports: readonly PublishedPort[]): Promise<void>
}

/** `enabled` false: `--iptables=false`, nothing is touched. */
export function createFirewall(deps: {
  nftables: Nftables
  conntrack: Conntrack
  sysctls: Sysctls
  enabled: boolean
  ipForward: boolean
}): Firewall {
  const { nftables, sysctls } = deps
  let networks: readonly FirewallNetwork[] = []
  let guardForwarding = false
  const published = new Map<string, PublishedPort>()

  /** Owned, so that `nft flush ruleset` or a reload of the distribution's rules does not open every container; as firewalld does. */
  function replaceTable(): void {
    const rules = (owned: boolean): ReturnType<typeof firewallRules> =>
      firewallRules(networks, [...published.values()], guardForwarding, owned)
    try {
      nftables.apply(FIREWALL_TABLE, rules(true))
    } catch (error) {
      const { code = '' } = error as { code?: string }
      // Node spells EOPNOTSUPP, which is the same number on Linux, ENOTSUP.
      if (!['ENOTSUP', 'EOPNOTSUPP', 'EINVAL'].includes(code)) throw error
      nftables.apply(FIREWALL_TABLE, rules(false))
    }
  }

  /** A kernel before 6.9 owns no tables: there a flush takes ours along, and it is made anew. */
  function applyOrReplace(operations: ReturnType<typeof publishOperations>): void {
    try {
      nftables.apply(FIREWALL_TABLE, operations)
    } catch (error) {
      if ((error as { code?: string }).code !== 'ENOENT') throw error
      replaceTable()
    }
  }

  return {
    rebuild(newNetworks, ports) {
      networks = newNetworks
      published.clear()
      for (const port of ports) published.set(keyOf(port), port)
      const forwardedBefore = sysctls.read('net/ipv4/ip_forward') === '1'
      if (deps.ipForward && !forwardedBefore) sysctls.write('net/ipv4/ip_forward', '1')
      if (!deps.enabled) return
      // The daemon before this one may have turned it on; its guard is still there then.
      guardForwarding = deps.ipForward && (!forwardedBefore || nftables.chains(FIREWALL_TABLE).includes(FORWARD_GUARD))
      replaceTable()
    },
    publish(ports) {
      if (!deps.enabled || ports.length === 0) return
      for (const port of ports) published.set(keyOf(port), port)
      try {
        applyOrReplace(publishOperations(ports))
      } catch (error) {
        for (const port of ports) published.delete(keyOf(port))
        throw error
      }
    },
    async forgetOldFlows(ports) {
      const udp = ports.filter(({ binding }) => binding.protocol === 'udp')
      if (!deps.enabled || udp.length === 0) return
      try {
        for (const { binding } of udp) await deps.conntrack.forget({ protocol: IPPROTO_UDP, destinationPort: binding.hostPort })
      } catch {
        // A kernel without ctnetlink: those clients find the container after 30 s of silence. No reason not to start it.
      }
    },
    withdraw(ports) {
      if (!deps.enabled || ports.length === 0) return
      for (const port of ports) published.delete(keyOf(port))
      applyOrReplace(withdrawOperations(ports))
    },
  }
}

function keyOf({ binding }: PublishedPort): string {
  return `${binding.protocol}/${binding.hostIp}:${binding.hostPort}`
}
