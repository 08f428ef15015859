import { invalidArgument, notImplemented } from '#errors'
import type { EndpointRequest, NetworkRecord } from './types.ts'

const MAC = /^[0-9a-f]{2}([:-][0-9a-f]{2}){5}$/i

/** Refuses what a default network cannot give, with dockerd's texts, and by name what this engine cannot give yet. */
export function checkEndpointRequest(network: NetworkRecord, asked: EndpointRequest): void {
  const refusals: string[] = []
  if (isGiven(asked.ipv4Address) || isGiven(asked.ipv6Address)) {
    refusals.push('user specified IP address is supported on user defined networks only')
  }
  if ((asked.aliases ?? []).length > 0) refusals.push('network-scoped aliases are only supported for user-defined networks')
  if (isGiven(asked.macAddress) && !MAC.test(asked.macAddress ?? '')) refusals.push(`invalid MAC address: ${asked.macAddress}`)
  if (isGiven(asked.macAddress) && network.driver !== 'bridge') {
    refusals.push(`conflicting options: mac-address and the network mode`)
  }
  if (refusals.length > 0) throw invalidArgument(`invalid endpoint settings:\n${refusals.join('\n')}`)
  if ((asked.linkLocalIPs ?? []).length > 0) throw notImplemented('link-local addresses of an endpoint are not supported yet')
  if ((asked.links ?? []).length > 0) throw notImplemented('links of an endpoint are not supported yet')
  const [driverOption] = Object.keys(asked.driverOpts ?? {})
  if (driverOption !== undefined) throw notImplemented(`driver option ${driverOption} of an endpoint is not supported yet`)
}

function isGiven(value: string | undefined): boolean {
  return value !== undefined && value !== ''
}
