import { MessageWriter, type NetnsPlan, encodeSetBridgePort, encodeNewAddress, encodeNewRoute, encodeNewVeth, encodeSetLink } from '#kernel'
import { ipv4Bytes } from '../ipam/ip-address.ts'
import type { PortBinding } from '../types.ts'

type NewNamespace = Extract<NetnsPlan, { mode: 'new' }>

/**
 * Index of the interface inside. Chosen, because the address is sent in the same breath as the interface is made, and addresses want an index; and
 * chosen high, because a namespace may begin with tunnel devices next to lo (net.core.fb_tunnels_only_for_init_net).
 */
const CONTAINER_LINK_INDEX = 64

const LOOPBACK_INDEX = 1

export interface BridgedNamespace {
  /** Host end of the pair; the index is named because the kernel wants both or none. */
  hostLink: { index: number; name: string }
  bridgeIndex: number
  interfaceName: string
  mac: string
  mtu: number
  address: number
  prefixLength: number
  /** 0: no default route. */
  gateway: number
  /** No frames to other containers. */
  isolated: boolean
  /** Frames may come back by the port they left from. */
  hairpin: boolean
  /** The kernel has IPv6 and the network has not: off on the interface, else it would give itself a link-local address. */
  disableIPv6: boolean
  /** Ports of the host that are to be held. */
  reserve: readonly PortBinding[]
}

/** The messages that build a container's end of a bridge network; the pid is filled in by who starts the container. */
export function bridgedNamespace(wanted: BridgedNamespace): NewNamespace {
  const host = new MessageWriter()
  const pidOffset = encodeNewVeth(host, {
    ...wanted.hostLink,
    master: wanted.bridgeIndex,
    mtu: wanted.mtu,
    peer: { index: CONTAINER_LINK_INDEX, name: wanted.interfaceName, mac: wanted.mac, pid: 0 },
  })
  if (wanted.isolated || wanted.hairpin) {
    encodeSetBridgePort(host, wanted.hostLink.index, { isolated: wanted.isolated, hairpin: wanted.hairpin })
  }
  const inside = new MessageWriter()
  encodeSetLink(inside, { index: LOOPBACK_INDEX }, { up: true })
  encodeNewAddress(inside, { linkIndex: CONTAINER_LINK_INDEX, address: ipv4Bytes(wanted.address), prefixLength: wanted.prefixLength })
  encodeSetLink(inside, { index: CONTAINER_LINK_INDEX }, { up: true })
  if (wanted.gateway !== 0) encodeNewRoute(inside, { gateway: ipv4Bytes(wanted.gateway), outLink: CONTAINER_LINK_INDEX })
  return {
    mode: 'new',
    host: [{ bytes: host.finish(), pidOffsets: [pidOffset] }],
    inside: [inside.finish()],
    sysctls: wanted.disableIPv6 ? [{ path: `/proc/sys/net/ipv6/conf/${wanted.interfaceName}/disable_ipv6`, value: '1' }] : [],
    reserve: wanted.reserve.map(({ protocol, hostIp, hostPort }) => ({ family: 4, protocol, address: hostIp, port: hostPort })),
  }
}

/** A namespace with nothing but lo (`--network none`). */
export function loopbackNamespace(): NewNamespace {
  const inside = new MessageWriter()
  encodeSetLink(inside, { index: LOOPBACK_INDEX }, { up: true })
  return { mode: 'new', host: [], inside: [inside.finish()], sysctls: [], reserve: [] }
}

/** The namespace of a running process (`--network container:X`); `pid` is that of X's init. */
export function joinedNamespace(pid: number): NetnsPlan {
  return { mode: 'join', path: `/proc/${pid}/ns/net` }
}
