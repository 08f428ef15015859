import type { RouteNetlink, Sysctls } from '#kernel'
import type { Family } from '../ipam/ip-address.ts'

const FORWARDING: Record<Family, string> = { 4: 'net/ipv4/ip_forward', 6: 'net/ipv6/conf/all/forwarding' }

/**
 * Lets the host pass packets on. Answers whether it did not before.
 *
 * A host that forwards IPv6 stops listening to router advertisements and would lose its own default route when the last one times out. Interfaces that
 * listened are told to go on (`accept_ra` 2).
 */
export function enableForwarding(family: Family, { route, sysctls }: { route: RouteNetlink; sysctls: Sysctls }): boolean {
  const before = sysctls.read(FORWARDING[family])
  if (before === undefined || before === '1') return false
  if (family === 6) {
    for (const { name } of route.links()) {
      const acceptsRoutes = `net/ipv6/conf/${name}/accept_ra`
      if (sysctls.read(acceptsRoutes) === '1') sysctls.write(acceptsRoutes, '2')
    }
  }
  sysctls.write(FORWARDING[family], '1')
  return true
}
