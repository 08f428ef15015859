import { internal } from '#errors'
import {
  type AddressInfo,
  type RouteNetlink,
  MessageWriter,
  encodeDeleteAddress,
  encodeNewAddress,
  encodeNewBridge,
  encodeSetLink,
} from '#kernel'
import { type Subnet, ipv4Bytes } from '../ipam/ip-address.ts'

export interface BridgeInterface {
  name: string
  mac: string
  mtu: number
  address: number
  prefixLength: number
  /** An address we gave it earlier that it must not have any more. */
  former?: { address: number; prefixLength: number }
}

/** Makes the bridge be there, up, with this address; what is right already is left alone. Returns its index. */
export function ensureBridge(route: RouteNetlink, wanted: BridgeInterface): number {
  const existing = route.link({ name: wanted.name })
  if (existing !== undefined && existing.kind !== 'bridge') throw internal(`existing interface ${wanted.name} is not a bridge`)
  if (existing === undefined) send(route, (writer) => encodeNewBridge(writer, wanted))
  const link = route.link({ name: wanted.name })
  if (link === undefined) throw internal(`bridge ${wanted.name} disappeared while it was set up`)
  const addresses = addressesOf(route, link.index)
  const { former } = wanted
  if (former !== undefined && former.address !== wanted.address && has(addresses, former.address)) {
    send(route, (writer) => encodeDeleteAddress(writer, onLink(link.index, former)))
  }
  if (!has(addresses, wanted.address)) send(route, (writer) => encodeNewAddress(writer, onLink(link.index, wanted)))
  send(route, (writer) => encodeSetLink(writer, { index: link.index }, { up: true, ...(wanted.mtu > 0 && { mtu: wanted.mtu }) }))
  return link.index
}

/** First IPv4 address an existing interface has, for a bridge that somebody made beforehand. */
export function bridgeAddress(route: RouteNetlink, name: string): { address: number; prefixLength: number } | undefined {
  const link = route.link({ name })
  const first = link === undefined ? undefined : addressesOf(route, link.index)[0]
  return first === undefined ? undefined : { address: first.address.readUInt32BE(), prefixLength: first.prefixLength }
}

/** Networks the host reaches without us: routes of the main table that do not go through `bridge`, the default route left out. */
export function hostSubnets(route: RouteNetlink, bridge: string): Subnet[] {
  const RT_TABLE_MAIN = 254
  const bridgeIndex = route.link({ name: bridge })?.index
  return route
    .routes()
    .filter((known) => known.family === 4 && known.table === RT_TABLE_MAIN && known.prefixLength > 0 && known.outLink !== bridgeIndex)
    .map((known) => ({ address: known.destination.readUInt32BE(), prefixLength: known.prefixLength }))
}

function addressesOf(route: RouteNetlink, linkIndex: number): AddressInfo[] {
  return route.addresses().filter((known) => known.linkIndex === linkIndex && known.address.length === 4)
}

function has(addresses: readonly AddressInfo[], address: number): boolean {
  return addresses.some((known) => known.address.readUInt32BE() === address)
}

function onLink(linkIndex: number, { address, prefixLength }: { address: number; prefixLength: number }): AddressInfo {
  return { linkIndex, address: ipv4Bytes(address), prefixLength }
}

function send(route: RouteNetlink, encode: (writer: MessageWriter) => void): void {
  const writer = new MessageWriter()
  encode(writer)
  route.send(writer.finish())
}
