import { decodeMessages, type NetlinkMessage } from '../netlink/message.ts'
import { type AddressInfo, type LinkInfo, type LinkTarget, type RouteInfo, decodeAddress, decodeLink } from '../netlink/route-messages.ts'
import type { RouteNetlink } from '../types.ts'

const RTM_DELLINK = 17
const NLM_F_CREATE = 0x400

/**
 * {@link RouteNetlink} of an imaginary host: understands new and deleted links, new addresses, and records every request. Tests change `hostLinks`,
 * `hostAddresses` and `hostRoutes` as they like.
 */
export function createFakeRouteNetlink(): RouteNetlink & {
  requests: NetlinkMessage[]
  hostLinks: LinkInfo[]
  hostAddresses: AddressInfo[]
  hostRoutes: RouteInfo[]
} {
  const requests: NetlinkMessage[] = []
  const hostLinks: LinkInfo[] = []
  const hostAddresses: AddressInfo[] = []
  const hostRoutes: RouteInfo[] = []
  const fake = {
    requests,
    hostLinks,
    hostAddresses,
    hostRoutes,
    send(bytes: Buffer) {
      for (const message of decodeMessages(bytes)) {
        requests.push(message)
        const link = decodeLink(message)
        if (link !== undefined && (message.flags & NLM_F_CREATE) !== 0)
          hostLinks.push({ ...link, index: link.index || hostLinks.length + 2 })
        const changed = hostLinks.find((known) => known.index === link?.index || known.name === link?.name)
        if (changed !== undefined && link !== undefined && link.alias !== '') changed.alias = link.alias
        const address = decodeAddress(message)
        if (address !== undefined) hostAddresses.push(address)
        if (message.type === RTM_DELLINK) {
          const index = message.body.readInt32LE(4)
          hostLinks.splice(
            hostLinks.findIndex((known) => known.index === index),
            1,
          )
        }
      }
    },
    sendInBackground: async (bytes: Buffer) => fake.send(bytes),
    link: ({ index, name }: LinkTarget) =>
      hostLinks.find((link) => (index === undefined || link.index === index) && (name === undefined || link.name === name)),
    links: () => [...hostLinks],
    addresses: () => [...hostAddresses],
    routes: () => [...hostRoutes],
    [Symbol.dispose]: () => {},
  }
  return fake
}
