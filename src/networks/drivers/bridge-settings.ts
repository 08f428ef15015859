import { invalidArgument } from '#errors'
import type { GatewayMode } from '../firewall/firewall-elements.ts'
import { type Family, type IpAddress, formatAddress } from '../ipam/ip-address.ts'
import type { NetworkRecord } from '../types.ts'
import { addressOption, booleanOption, cannotParse, mtuOption } from './driver-options.ts'

/** Options of a bridge network, understood. Unknown ones are kept in the record and have no effect, as with Docker. */
export interface BridgeSettings {
  bridge: string
  /** 0: the kernel's. */
  mtu: number
  icc: boolean
  masquerade: boolean
  /** Where ports go that name no address. */
  hostBinding: string
  modes: Record<Family, GatewayMode>
  /** The bridge gets no IPv4 address. */
  inhibitIPv4: boolean
  trusted: string[]
  interfacePrefix: string
  /** Source of outgoing packets. */
  hostAddresses: Partial<Record<Family, IpAddress>>
}

const PREFIX = 'com.docker.network.bridge.'
const MODES: readonly string[] = ['nat', 'nat-unprotected', 'routed', 'isolated'] satisfies GatewayMode[]
/** IFNAMSIZ with the final NUL; the kernel refuses slashes and blanks. */
const INTERFACE_NAME = /^[^\s/:]{1,15}$/

/** Throws INVALID_ARGUMENT with Docker's texts. */
export function bridgeSettings({ id, options, internal }: Pick<NetworkRecord, 'id' | 'options' | 'internal'>): BridgeSettings {
  const modes = { 4: modeOption(options, `${PREFIX}gateway_mode_ipv4`), 6: modeOption(options, `${PREFIX}gateway_mode_ipv6`) }
  if (!internal && (modes[4] === 'isolated' || modes[6] === 'isolated')) {
    throw invalidArgument("gateway mode 'isolated' can only be used for an internal network")
  }
  const bridge = options[`${PREFIX}name`] || `br-${id.slice(0, 12)}`
  if (!INTERFACE_NAME.test(bridge)) throw invalidArgument(`invalid bridge name: ${bridge}`)
  const binding = addressOption(options, `${PREFIX}host_binding_ipv4`)
  const hosts = { 4: addressOption(options, 'com.docker.network.host_ipv4'), 6: addressOption(options, 'com.docker.network.host_ipv6') }
  return {
    bridge,
    mtu: mtuOption(options),
    icc: booleanOption(options, `${PREFIX}enable_icc`, true),
    masquerade: booleanOption(options, `${PREFIX}enable_ip_masquerade`, true),
    hostBinding: binding === undefined ? '0.0.0.0' : formatAddress(binding),
    modes,
    inhibitIPv4: booleanOption(options, `${PREFIX}inhibit_ipv4`, false),
    trusted: (options[`${PREFIX}trusted_host_interfaces`] ?? '').split(':').filter((name) => name !== ''),
    interfacePrefix: options['com.docker.network.container_iface_prefix'] || 'eth',
    hostAddresses: { ...(hosts[4] !== undefined && { 4: hosts[4] }), ...(hosts[6] !== undefined && { 6: hosts[6] }) },
  }
}

/** Without a gateway the network takes no address for itself. */
export function needsGateway({ modes, inhibitIPv4 }: BridgeSettings, internal: boolean, family: Family): boolean {
  if (modes[family] === 'isolated') return false
  return !(family === 4 && inhibitIPv4 && internal)
}

function modeOption(options: Readonly<Record<string, string>>, name: string): GatewayMode {
  const value = options[name]
  if (value === undefined) return 'nat'
  if (!MODES.includes(value)) throw cannotParse(name, value, `unknown gateway mode ${value}`)
  return value as GatewayMode
}
