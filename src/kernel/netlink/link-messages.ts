/** rtnetlink requests for links that sit on a parent link of the host (include/uapi/linux/if_link.h). */

import { type MessageWriter, u16, u32 } from './message.ts'
import {
  CREATE,
  IFF_UP,
  IFLA_ADDRESS,
  IFLA_IFNAME,
  IFLA_INFO_DATA,
  IFLA_INFO_KIND,
  IFLA_LINKINFO,
  IFLA_MTU,
  IFLA_NET_NS_PID,
  RTM_NEWLINK,
  ifinfo,
  parseMac,
} from './route-messages.ts'

const IFLA_LINK = 5
const IFLA_MACVLAN_MODE = 1
const IFLA_IPVLAN_MODE = 1
const IFLA_IPVLAN_FLAGS = 2
const IFLA_VLAN_ID = 1

export const MACVLAN_MODES = { private: 1, vepa: 2, bridge: 4, passthru: 8 } as const
export const IPVLAN_MODES = { l2: 0, l3: 1, l3s: 2 } as const
export const IPVLAN_FLAGS = { bridge: 0, private: 1, vepa: 2 } as const

export type SubLinkKind =
  | { kind: 'macvlan'; mode: keyof typeof MACVLAN_MODES }
  | { kind: 'ipvlan'; mode: keyof typeof IPVLAN_MODES; flag: keyof typeof IPVLAN_FLAGS }

/** A link on a parent of the host, born inside another process's namespace with the index named here. */
export interface SubLink {
  type: SubLinkKind
  /** Index of the parent in the host's namespace. */
  parent: number
  index: number
  name: string
  /** Empty: the parent's. */
  mac: string
  /** 0: the parent's. */
  mtu: number
  pid: number
}

/** Returns the offset of the pid in the finished buffer: a native-endian u32 that may be overwritten. */
export function encodeNewSubLink(writer: MessageWriter, link: SubLink): number {
  const { type } = link
  writer.begin(RTM_NEWLINK, CREATE, ifinfo({ index: link.index }))
  writer.attribute(IFLA_IFNAME, link.name)
  writer.attribute(IFLA_LINK, u32(link.parent))
  if (link.mac !== '') writer.attribute(IFLA_ADDRESS, parseMac(link.mac))
  if (link.mtu > 0) writer.attribute(IFLA_MTU, u32(link.mtu))
  const pidOffset = writer.attribute(IFLA_NET_NS_PID, u32(link.pid))
  writeKind(writer, type.kind, () => {
    if (type.kind === 'macvlan') {
      writer.attribute(IFLA_MACVLAN_MODE, u32(MACVLAN_MODES[type.mode]))
    } else {
      writer.attribute(IFLA_IPVLAN_MODE, u16(IPVLAN_MODES[type.mode]))
      writer.attribute(IFLA_IPVLAN_FLAGS, u16(IPVLAN_FLAGS[type.flag]))
    }
  })
  return pidOffset
}

/** A link for the frames with one VLAN tag of `parent`, up. */
export function encodeNewVlan(writer: MessageWriter, vlan: { name: string; parent: number; id: number }): void {
  writer.begin(RTM_NEWLINK, CREATE, ifinfo({ flags: IFF_UP, change: IFF_UP }))
  writer.attribute(IFLA_IFNAME, vlan.name)
  writer.attribute(IFLA_LINK, u32(vlan.parent))
  writeKind(writer, 'vlan', () => writer.attribute(IFLA_VLAN_ID, u16(vlan.id)))
}

/** A link that leads nowhere, up: parent of a network that is cut off. */
export function encodeNewDummy(writer: MessageWriter, name: string): void {
  writer.begin(RTM_NEWLINK, CREATE, ifinfo({ flags: IFF_UP, change: IFF_UP }))
  writer.attribute(IFLA_IFNAME, name)
  writeKind(writer, 'dummy', () => {})
}

function writeKind(writer: MessageWriter, kind: string, data: () => void): void {
  writer.nest(IFLA_LINKINFO, () => {
    writer.attribute(IFLA_INFO_KIND, kind)
    writer.nest(IFLA_INFO_DATA, data)
  })
}
