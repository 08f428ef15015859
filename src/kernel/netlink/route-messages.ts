/**
 * rtnetlink requests and replies (rtnetlink(7); include/uapi/linux/{rtnetlink,if_link,if_addr}.h), pure data to bytes and back.
 * Family-neutral: an address is 4 or 16 bytes.
 */

import {
  type NetlinkMessage,
  type MessageWriter,
  NLM_F_ACK,
  NLM_F_CREATE,
  NLM_F_DUMP,
  NLM_F_EXCL,
  NLM_F_REPLACE,
  NLM_F_REQUEST,
  decodeAttributes,
  decodeText,
  u32,
  u8,
} from './message.ts'

export const RTM_NEWLINK = 16
const RTM_DELLINK = 17
const RTM_GETLINK = 18
const RTM_SETLINK = 19
const RTM_NEWADDR = 20
const RTM_DELADDR = 21
const RTM_GETADDR = 22
const RTM_NEWROUTE = 24
const RTM_DELROUTE = 25
const RTM_GETROUTE = 26

const AF_UNSPEC = 0
const AF_INET = 2
const AF_BRIDGE = 7
const AF_INET6 = 10
export const IFF_UP = 1

export const IFLA_ADDRESS = 1
export const IFLA_IFNAME = 3
export const IFLA_MTU = 4
const IFLA_MASTER = 10
const IFLA_PROTINFO = 12
export const IFLA_LINKINFO = 18
export const IFLA_NET_NS_PID = 19
const IFLA_IFALIAS = 20
export const IFLA_INFO_KIND = 1
export const IFLA_INFO_DATA = 2
const IFLA_BRPORT_MODE = 4
const IFLA_BRPORT_ISOLATED = 33
const VETH_INFO_PEER = 1
const IFA_ADDRESS = 1
const IFA_LOCAL = 2
const IFA_BROADCAST = 4
const IFA_F_NODAD = 2
const RTA_DST = 1
const RTA_OIF = 4
const RTA_GATEWAY = 5
const RTA_TABLE = 15
const RT_TABLE_MAIN = 254
const RTPROT_BOOT = 3
const RT_SCOPE_UNIVERSE = 0
const RT_SCOPE_LINK = 253
const RTN_UNICAST = 1

export const CREATE: number = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL

export interface LinkInfo {
  index: number
  name: string
  up: boolean
  /** `bridge`, `veth` …; empty for hardware. */
  kind: string
  /** Index of the bridge it is a port of, or 0. */
  master: number
  /** `02:42:…`; empty where there is none. */
  mac: string
  mtu: number
  /** A text that somebody gave it; empty where there is none. */
  alias: string
}

export interface AddressInfo {
  linkIndex: number
  address: Buffer
  prefixLength: number
}

export interface RouteInfo {
  /** Network part; empty for the default route. */
  destination: Buffer
  prefixLength: number
  family: 4 | 6
  table: number
  gateway?: Buffer
  outLink?: number
}

/** `index` 0: whatever `name` is. */
export interface LinkTarget {
  index?: number
  name?: string
}

/** A veth pair in one request: the host end is port of `master` and up, the peer is born inside another process's namespace. */
export interface VethPair {
  /** Index and name of the host end; unused so far. */
  index: number
  name: string
  master: number
  mtu: number
  /** The kernel takes the peer's index only together with one for the host end (drivers/net/veth.c, veth_newlink). */
  peer: { index: number; name: string; mac: string; pid: number }
}

export function encodeNewBridge(writer: MessageWriter, bridge: { name: string; mac: string; mtu: number }): void {
  writer.begin(RTM_NEWLINK, CREATE, ifinfo({}))
  writer.attribute(IFLA_IFNAME, bridge.name)
  writer.attribute(IFLA_ADDRESS, parseMac(bridge.mac))
  if (bridge.mtu > 0) writer.attribute(IFLA_MTU, u32(bridge.mtu))
  writer.nest(IFLA_LINKINFO, () => writer.attribute(IFLA_INFO_KIND, 'bridge'))
}

/** Returns the offset of the peer's pid in the finished buffer: a native-endian u32 that may be overwritten. */
export function encodeNewVeth(writer: MessageWriter, pair: VethPair): number {
  let pidOffset = 0
  writer.begin(RTM_NEWLINK, CREATE, ifinfo({ index: pair.index, flags: IFF_UP }))
  writer.attribute(IFLA_IFNAME, pair.name)
  if (pair.mtu > 0) writer.attribute(IFLA_MTU, u32(pair.mtu))
  writer.attribute(IFLA_MASTER, u32(pair.master))
  writer.nest(IFLA_LINKINFO, () => {
    writer.attribute(IFLA_INFO_KIND, 'veth')
    writer.nest(IFLA_INFO_DATA, () => {
      writer.nest(VETH_INFO_PEER, () => {
        writer.raw(ifinfo({ index: pair.peer.index }))
        writer.attribute(IFLA_IFNAME, pair.peer.name)
        writer.attribute(IFLA_ADDRESS, parseMac(pair.peer.mac))
        if (pair.mtu > 0) writer.attribute(IFLA_MTU, u32(pair.mtu))
        pidOffset = writer.attribute(IFLA_NET_NS_PID, u32(pair.peer.pid))
      })
    })
  })
  return pidOffset
}

/** Brings a link up or down, or gives it another MTU, or a text to know it by. */
export function encodeSetLink(writer: MessageWriter, target: LinkTarget, change: { up?: boolean; mtu?: number; alias?: string }): void {
  const flags = change.up === undefined ? {} : { flags: change.up ? IFF_UP : 0, change: IFF_UP }
  writer.begin(RTM_NEWLINK, NLM_F_REQUEST | NLM_F_ACK, ifinfo({ index: target.index ?? 0, ...flags }))
  if (target.name !== undefined) writer.attribute(IFLA_IFNAME, target.name)
  if (change.mtu !== undefined) writer.attribute(IFLA_MTU, u32(change.mtu))
  if (change.alias !== undefined) writer.attribute(IFLA_IFALIAS, change.alias)
}

/**
 * Settings of a bridge's port. `isolated`: no frames to other isolated ports, only to the bridge itself (Linux 4.18). `hairpin`: frames may leave by
 * the port they came in by.
 */
export function encodeSetBridgePort(writer: MessageWriter, index: number, settings: { isolated?: boolean; hairpin?: boolean }): void {
  writer.begin(RTM_SETLINK, NLM_F_REQUEST | NLM_F_ACK, ifinfo({ index, family: AF_BRIDGE }))
  writer.nest(IFLA_PROTINFO, () => {
    if (settings.hairpin !== undefined) writer.attribute(IFLA_BRPORT_MODE, u8(Number(settings.hairpin)))
    if (settings.isolated !== undefined) writer.attribute(IFLA_BRPORT_ISOLATED, u8(Number(settings.isolated)))
  })
}

export function encodeDeleteLink(writer: MessageWriter, target: LinkTarget): void {
  writer.begin(RTM_DELLINK, NLM_F_REQUEST | NLM_F_ACK, ifinfo({ index: target.index ?? 0 }))
  if (target.name !== undefined) writer.attribute(IFLA_IFNAME, target.name)
}

/** One link by index or name; the answer is ENODEV when there is none. */
export function encodeGetLink(writer: MessageWriter, target: LinkTarget): void {
  writer.begin(RTM_GETLINK, NLM_F_REQUEST | NLM_F_ACK, ifinfo({ index: target.index ?? 0 }))
  if (target.name !== undefined) writer.attribute(IFLA_IFNAME, target.name)
}

/** An IPv6 address can be used at once: whoever gives it has seen to it that nobody else has it. */
export function encodeNewAddress(writer: MessageWriter, address: AddressInfo): void {
  writer.begin(RTM_NEWADDR, CREATE, ifaddr(address, address.address.length === 16 ? IFA_F_NODAD : 0))
  writer.attribute(IFA_LOCAL, address.address)
  writer.attribute(IFA_ADDRESS, address.address)
  // IPv6 has no broadcast, and /31 and /32 have no address left for one (RFC 3021).
  if (address.address.length === 4 && address.prefixLength < 31) writer.attribute(IFA_BROADCAST, broadcastOf(address))
}

export function encodeDeleteAddress(writer: MessageWriter, address: AddressInfo): void {
  writer.begin(RTM_DELADDR, NLM_F_REQUEST | NLM_F_ACK, ifaddr(address))
  writer.attribute(IFA_LOCAL, address.address)
}

/** Without `destination` the default route, whose family the gateway tells, or else `family`. The link is found by the gateway when `outLink` is absent. */
export interface Route {
  destination?: Buffer
  prefixLength?: number
  gateway?: Buffer
  outLink?: number
  family?: 4 | 6
}

/** A route of the main table. `replace`: instead of the one to the same destination, if there is one. */
export function encodeNewRoute(writer: MessageWriter, route: Route, replace = false): void {
  writer.begin(RTM_NEWROUTE, replace ? NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE : CREATE, rtmsg(route))
  writeRoute(writer, route)
}

/** ESRCH when there is none. */
export function encodeDeleteRoute(writer: MessageWriter, route: Route): void {
  writer.begin(RTM_DELROUTE, NLM_F_REQUEST | NLM_F_ACK, rtmsg(route))
  writeRoute(writer, route)
}

function writeRoute(writer: MessageWriter, route: Route): void {
  if (route.destination !== undefined) writer.attribute(RTA_DST, route.destination)
  if (route.gateway !== undefined) writer.attribute(RTA_GATEWAY, route.gateway)
  if (route.outLink !== undefined) writer.attribute(RTA_OIF, u32(route.outLink))
}

/** struct rtmsg: u8 family, dst_len, src_len, tos, table, protocol, scope, type; u32 flags */
function rtmsg({ destination, prefixLength = 0, gateway, family }: Route): Buffer {
  const length = (gateway ?? destination)?.length ?? (family === 6 ? 16 : 4)
  const scope = gateway === undefined ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE
  const header = Buffer.alloc(12)
  header.set([length === 16 ? AF_INET6 : AF_INET, prefixLength, 0, 0, RT_TABLE_MAIN, RTPROT_BOOT, scope, RTN_UNICAST])
  return header
}

export function encodeDumpLinks(writer: MessageWriter): void {
  writer.begin(RTM_GETLINK, NLM_F_REQUEST | NLM_F_DUMP, ifinfo({}))
}

export function encodeDumpAddresses(writer: MessageWriter): void {
  writer.begin(RTM_GETADDR, NLM_F_REQUEST | NLM_F_DUMP, Buffer.alloc(8))
}

export function encodeDumpRoutes(writer: MessageWriter): void {
  writer.begin(RTM_GETROUTE, NLM_F_REQUEST | NLM_F_DUMP, Buffer.alloc(12))
}

/** Undefined for a message that is no link. */
export function decodeLink(message: NetlinkMessage): LinkInfo | undefined {
  if (message.type !== RTM_NEWLINK) return undefined
  const attributes = decodeAttributes(message.body.subarray(16))
  const linkInfo = decodeAttributes(attributes.get(IFLA_LINKINFO) ?? Buffer.alloc(0))
  return {
    index: message.body.readInt32LE(4),
    name: decodeText(attributes.get(IFLA_IFNAME)),
    up: (message.body.readUInt32LE(8) & IFF_UP) !== 0,
    kind: decodeText(linkInfo.get(IFLA_INFO_KIND)),
    master: attributes.get(IFLA_MASTER)?.readUInt32LE() ?? 0,
    mac: formatMac(attributes.get(IFLA_ADDRESS) ?? Buffer.alloc(0)),
    mtu: attributes.get(IFLA_MTU)?.readUInt32LE() ?? 0,
    alias: decodeText(attributes.get(IFLA_IFALIAS)),
  }
}

export function decodeAddress(message: NetlinkMessage): AddressInfo | undefined {
  if (message.type !== RTM_NEWADDR) return undefined
  const attributes = decodeAttributes(message.body.subarray(8))
  // On point-to-point links IFA_ADDRESS is the other side; IPv6 has IFA_ADDRESS alone.
  const address = attributes.get(IFA_LOCAL) ?? attributes.get(IFA_ADDRESS)
  if (address === undefined) return undefined
  return { linkIndex: message.body.readUInt32LE(4), address, prefixLength: message.body.readUInt8(1) }
}

/** Undefined for a message that is no unicast route of IPv4 or IPv6. */
export function decodeRoute(message: NetlinkMessage): RouteInfo | undefined {
  if (message.type !== RTM_NEWROUTE || message.body.readUInt8(7) !== RTN_UNICAST) return undefined
  const family = message.body.readUInt8(0)
  if (family !== AF_INET && family !== AF_INET6) return undefined
  const attributes = decodeAttributes(message.body.subarray(12))
  const gateway = attributes.get(RTA_GATEWAY)
  const outLink = attributes.get(RTA_OIF)?.readUInt32LE()
  return {
    destination: attributes.get(RTA_DST) ?? Buffer.alloc(0),
    prefixLength: message.body.readUInt8(1),
    family: family === AF_INET ? 4 : 6,
    table: attributes.get(RTA_TABLE)?.readUInt32LE() ?? message.body.readUInt8(4),
    ...(gateway !== undefined && { gateway }),
    ...(outLink !== undefined && { outLink }),
  }
}

/** `02:42:ac:11:00:02` to its six bytes. Throws RangeError for anything else. */
export function parseMac(mac: string): Buffer {
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(mac)) throw new RangeError(`Cannot parse MAC address "${mac}"`)
  return Buffer.from(mac.replaceAll(':', ''), 'hex')
}

export function formatMac(bytes: Buffer): string {
  return bytes.toString('hex').replace(/(..)(?=.)/g, '$1:')
}

/** struct ifinfomsg: u8 family, pad; u16 type; s32 index; u32 flags, change */
export function ifinfo(link: { index?: number; flags?: number; change?: number; family?: number }): Buffer {
  const header = Buffer.alloc(16)
  header.writeUInt8(link.family ?? AF_UNSPEC, 0)
  header.writeInt32LE(link.index ?? 0, 4)
  header.writeUInt32LE(link.flags ?? 0, 8)
  header.writeUInt32LE(link.change ?? 0, 12)
  return header
}

/** struct ifaddrmsg: u8 family, prefixlen, flags, scope; u32 index */
function ifaddr(address: AddressInfo, flags = 0): Buffer {
  const header = Buffer.alloc(8)
  header.writeUInt8(address.address.length === 16 ? AF_INET6 : AF_INET, 0)
  header.writeUInt8(address.prefixLength, 1)
  header.writeUInt8(flags, 2)
  header.writeUInt32LE(address.linkIndex, 4)
  return header
}

function broadcastOf({ address, prefixLength }: AddressInfo): Buffer {
  const hostBits = 2 ** (32 - prefixLength) - 1
  const bytes = Buffer.allocUnsafe(4)
  bytes.writeUInt32BE((address.readUInt32BE() | hostBits) >>> 0)
  return bytes
}
