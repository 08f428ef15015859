import { internal } from '#errors'
import {
  type RouteNetlink,
  MessageWriter,
  encodeDeleteAddress,
  encodeNewAddress,
  encodeNewBridge,
  encodeSetLink,
  type LinkInfo,
} from '#kernel'
import { type IpAddress, type Subnet, addressBytes, addressOfBytes, formatAddress } from '../ipam/ip-address.ts'

export interface AddressOnLink {
  address: IpAddress
  prefixLength: number
}

export interface BridgeInterface {
  name: string
  mac: string
  mtu: number
  addresses: AddressOnLink[]
  /** Addresses we gave it earlier that it must not have any more. */
  former: AddressOnLink[]
}

/** Text that tells our bridges from those of others, such as dockerd's, which have the same kind of name. */
const ALIAS = 'gantry'

/** Makes the bridge be there, up, with these addresses; what is right already is left alone. Answers its index and whether it is ours. */
export function ensureBridge(route: RouteNetlink, wanted: BridgeInterface): { index: number; isOurs: boolean } {
  const existing = route.link({ name: wanted.name })
  if (existing !== undefined && existing.kind !== 'bridge') throw internal(`existing interface ${wanted.name} is not a bridge`)
  if (existing === undefined) {
    sendTo(route, (writer) => {
      encodeNewBridge(writer, wanted)
      encodeSetLink(writer, { name: wanted.name }, { alias: ALIAS })
    })
  }
  const link = route.link({ name: wanted.name })
  if (link === undefined) throw internal(`bridge ${wanted.name} disappeared while it was set up`)
  const addresses = addressesOf(route, link.index)
  sendTo(route, (writer) => {
    for (const former of wanted.former) {
      if (!has(wanted.addresses, former) && has(addresses, former)) encodeDeleteAddress(writer, onLink(link.index, former))
    }
    for (const address of wanted.addresses) if (!has(addresses, address)) encodeNewAddress(writer, onLink(link.index, address))
    encodeSetLink(writer, { index: link.index }, { up: true, ...(wanted.mtu > 0 && { mtu: wanted.mtu }) })
  })
  return { index: link.index, isOurs: existing === undefined || isOurBridge(existing) }
}

/** First IPv4 address an existing interface has, for a bridge that somebody made beforehand. */
export function bridgeAddress(route: RouteNetlink, name: string): AddressOnLink | undefined {
  const link = route.link({ name })
  return link === undefined ? undefined : addressesOf(route, link.index).find(({ address }) => address.family === 4)
}

/** A bridge that a daemon of ours made for a network and nobody else calls his own. */
export function isOurBridge({ kind, alias }: LinkInfo): boolean {
  return kind === 'bridge' && alias === ALIAS
}

/** Networks the host reaches without us: routes of the main table that do not go through `bridge`, default and link-local routes left out. */
export function hostSubnets(route: RouteNetlink, bridge?: string): Subnet[] {
  const RT_TABLE_MAIN = 254
  const LINK_LOCAL = 0xfe80
  const bridgeIndex = bridge === undefined ? undefined : route.link({ name: bridge })?.index
  return route
    .routes()
    .filter(({ table, prefixLength, outLink }) => table === RT_TABLE_MAIN && prefixLength > 0 && outLink !== bridgeIndex)
    .filter(({ family, destination }) => family === 4 || destination.readUInt16BE() !== LINK_LOCAL)
    .map(({ family, destination, prefixLength }) => ({ family, first: addressOfBytes(destination).value, prefixLength }))
}

export function sendTo(route: RouteNetlink, encode: (writer: MessageWriter) => void): void {
  const writer = new MessageWriter()
  encode(writer)
  route.send(writer.finish())
}

function addressesOf(route: RouteNetlink, linkIndex: number): AddressOnLink[] {
  return route
    .addresses()
    .filter((known) => known.linkIndex === linkIndex)
    .map(({ address, prefixLength }) => ({ address: addressOfBytes(address), prefixLength }))
}

function has(addresses: readonly AddressOnLink[], { address }: AddressOnLink): boolean {
  const text = formatAddress(address)
  return addresses.some((known) => formatAddress(known.address) === text)
}

function onLink(linkIndex: number, { address, prefixLength }: AddressOnLink): Parameters<typeof encodeNewAddress>[1] {
  return { linkIndex, address: addressBytes(address), prefixLength }
}
