import { randomId } from '#lib'
import type { IpamConfig, NetworkOptions, NetworkRecord } from './types.ts'

/** Names that exist in every engine and cannot be removed. */
export type DefaultNetworkName = 'bridge' | 'host' | 'none'

/** A default network as first made; its id stays with it from then on. */
export function newDefaultNetwork(name: DefaultNetworkName, created: string): NetworkRecord {
  return {
    id: randomId(),
    name,
    driver: name === 'none' ? 'null' : name,
    scope: 'local',
    internal: false,
    attachable: false,
    enableIPv4: true,
    enableIPv6: false,
    ipam: { driver: 'default', options: {}, config: [] },
    options: {},
    labels: {},
    created,
  }
}

/** The default bridge as the daemon's settings of today want it. Option names are Docker's, which clients print and test for. */
export function withBridgeOptions(record: NetworkRecord, options: NetworkOptions, config: IpamConfig[]): NetworkRecord {
  return {
    ...record,
    enableIPv6: options.ipv6 === true,
    ipam: { ...record.ipam, config },
    options: {
      'com.docker.network.bridge.default_bridge': 'true',
      'com.docker.network.bridge.enable_icc': String(options.icc),
      'com.docker.network.bridge.enable_ip_masquerade': String(options.ipMasq),
      'com.docker.network.bridge.host_binding_ipv4': options.defaultBindAddress,
      'com.docker.network.bridge.name': options.bridge,
      'com.docker.network.driver.mtu': String(options.mtu),
    },
  }
}
