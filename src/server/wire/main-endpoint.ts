/**
 * What was once asked for a container as a whole and belongs to its main network: the MAC address, and sysctls that name an interface.
 * Source: moby `handleMACAddressBC`, `handleSysctlBC`, `epConfigForNetMode`.
 */

import type { ApiVersion } from '#api'
import type { HostConfig } from '#containers'
import { invalidArgument } from '#errors'
import type { EndpointRequest } from '#networks'

export const DEFAULT_NETWORK = 'bridge'

type Endpoints = Record<string, EndpointRequest>

/** Driver option that sets sysctls of one endpoint, whatever its interface will be called (`IFNAME`). */
const ENDPOINT_SYSCTLS = 'com.docker.network.endpoint.sysctls'

/** Moves the container-wide MAC address into `networks`; gives warnings. Throws INVALID_ARGUMENT. */
export function adoptMacAddress(macAddress: string, host: Partial<HostConfig>, networks: Endpoints, version: ApiVersion): string[] {
  if (macAddress === '') {
    if (version < 44) for (const endpoint of Object.values(networks)) delete endpoint.macAddress
    return []
  }
  const mode = host.networkMode ?? DEFAULT_NETWORK
  if (mode === 'host' || mode === 'none' || mode.startsWith('container:')) {
    if (version < 44) throw invalidArgument('conflicting options: mac-address and the network mode')
  } else {
    const endpoint = mainEndpoint(mode, networks, version, 'unable to migrate container-wide MAC address to a specific network')
    if (version >= 44 && endpoint.macAddress !== undefined && endpoint.macAddress !== '' && endpoint.macAddress !== macAddress) {
      throw invalidArgument(
        'the container-wide MAC address must match the endpoint-specific MAC address for the main network, or be left empty',
      )
    }
    endpoint.macAddress = macAddress
  }
  return version < 44 ? [] : ['The container-wide MacAddress field is now deprecated. It should be specified in EndpointsConfig instead.']
}

/** Moves sysctls like `net.ipv4.conf.eth0.forwarding` into `networks`; since 1.48 they are refused. Gives warnings, throws INVALID_ARGUMENT. */
export function adoptInterfaceSysctls(host: Partial<HostConfig>, networks: Endpoints, version: ApiVersion): string[] {
  const { sysctls = {}, networkMode: mode = DEFAULT_NETWORK } = host
  if (mode === 'host' || mode.startsWith('container:')) return []
  const moved: string[] = []
  const settings: string[] = []
  for (const [name, value] of Object.entries(sysctls)) {
    const match = /^net\.([^.]*)\.([^.]*)\.(eth[^.]*)\.(.+)$/.exec(name)
    if (match === null) continue
    const [, family, group, device, setting] = match
    if (version >= 48) {
      throw invalidArgument(`interface specific sysctl setting "${name}" must be supplied using driver option '${ENDPOINT_SYSCTLS}'`)
    }
    if (device !== 'eth0') {
      throw invalidArgument(
        `unable to determine network endpoint for sysctl ${name}, use driver option '${ENDPOINT_SYSCTLS}' to set per-interface sysctls`,
      )
    }
    moved.push(name)
    settings.push(`net.${family}.${group}.IFNAME.${setting}=${value}`)
  }
  if (moved.length === 0) return []

  const endpoint = mainEndpoint(mode, networks, version, `unable to find a network for sysctl ${moved[0]}`)
  for (const name of moved) delete sysctls[name]
  const migrated = settings.join(',')
  // What was said for the endpoint itself comes last and wins.
  const own = endpoint.driverOpts?.[ENDPOINT_SYSCTLS]
  endpoint.driverOpts = { ...endpoint.driverOpts, [ENDPOINT_SYSCTLS]: own === undefined ? migrated : `${migrated},${own}` }
  return [`Migrated sysctl "${moved.join(',')}" to DriverOpts{"${ENDPOINT_SYSCTLS}":"${endpoint.driverOpts[ENDPOINT_SYSCTLS]}"}.`]
}

/** The endpoint that the network mode names, made when there is none at all; refused when there are others and it is not among them. */
function mainEndpoint(mode: string, networks: Endpoints, version: ApiVersion, complaint: string): EndpointRequest {
  const [first] = Object.values(networks)
  if (first === undefined) return (networks[mode] = {})
  const endpoint = version < 44 ? first : networks[mode]
  if (endpoint !== undefined) return endpoint
  throw invalidArgument(`${complaint}: HostConfig.NetworkMode must match the identity of a network in NetworkSettings.Networks`)
}
