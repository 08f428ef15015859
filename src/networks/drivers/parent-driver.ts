import { EngineError, forbidden, internal, invalidArgument } from '#errors'
import { type LinkInfo, MessageWriter, type RouteNetlink, encodeDeleteLink, encodeNewDummy, encodeNewSubLink, encodeNewVlan } from '#kernel'
import type { Family } from '../ipam/ip-address.ts'
import { macOfAddress } from '../ipam/mac-address.ts'
import { createNetworkAddresses } from '../ipam/network-addresses.ts'
import type { NetworkRecord } from '../types.ts'
import { sendTo } from './bridge-interface.ts'
import type { NetworkDriver } from './driver.ts'
import { type ParentSettings, parentSettings, parseVlanName } from './parent-settings.ts'
import { placeOn } from './place.ts'

const FAMILIES: readonly Family[] = [4, 6]

export interface ParentDeps {
  route: RouteNetlink
  /** The other networks, which may have the same parent. */
  others: () => readonly NetworkRecord[]
}

/**
 * macvlan and ipvlan: containers have links of their own on a link of the host, and are neighbours of its neighbours. Nothing of it passes our firewall;
 * ports need no publication. The host itself cannot talk to them (the kernel does not pass frames between a parent and its children).
 *
 * The parent is made when it is a VLAN link (`eth0.10`) that is missing, or a link that leads nowhere for a network without one. Throws with the
 * kernel's own words where it does not have the kind.
 */
export function startParentDriver(deps: ParentDeps, record: NetworkRecord): NetworkDriver {
  const { route } = deps
  const settings = parentSettings(record)
  const { link, parent } = settings
  const kind = link.kind
  checkSharing(record, settings, deps.others())
  checkKind(route, settings)
  const madeParent = ensureParent(route, settings)
  const addresses = createNetworkAddresses({ ...record, config: record.ipam.config }, () => false)
  const routed = kind === 'ipvlan' && link.mode !== 'l2'
  const isInternal = record.internal || settings.isDummy
  const hasOwnMac = kind === 'macvlan' && link.mode !== 'passthru'

  return {
    record: { ...record, internal: isInternal, ownsLink: record.ownsLink === true || madeParent },
    interfacePrefix: 'eth',
    sides: {},
    trusted: [],
    open: false,
    routesByLink: routed && !isInternal,
    place(asked, disableIPv6) {
      if (kind === 'ipvlan' && asked.macAddress) {
        throw invalidArgument('ipvlan interfaces do not support custom mac address assignment')
      }
      const families = FAMILIES.filter((family) => addresses.has(family) && !(family === 6 && disableIPv6))
      const placement = placeOn(addresses, families, asked, (address) => (hasOwnMac ? macOfAddress(address) : ''))
      return isInternal || routed ? { ...placement, ipv4Gateway: '', ipv6Gateway: '' } : placement
    },
    adopt({ ipv4Address, ipv6Address }, isAlive) {
      if (!isAlive) return // there is nothing on the host that would tell when their links are gone
      for (const address of [ipv4Address, ipv6Address]) if (address !== '') addresses.adopt(address)
    },
    remove({ ipv4Address, ipv6Address }) {
      for (const address of [ipv4Address, ipv6Address]) if (address !== '') addresses.release(address)
    },
    link({ macAddress }, { index, name }) {
      const writer = new MessageWriter()
      const below = requireLink(route, parent, `the requested parent interface ${parent} was not found on the Docker host`)
      const pidOffset = encodeNewSubLink(writer, { type: link, parent: below.index, index, name, mac: macAddress, mtu: 0, pid: 0 })
      return [{ bytes: writer.finish(), pidOffsets: [pidOffset] }]
    },
    async delete() {
      const isShared = deps.others().some((other) => isOnParent(other, parent))
      if (isShared || !(record.ownsLink === true || madeParent)) return
      const writer = new MessageWriter()
      encodeDeleteLink(writer, { name: parent })
      await route.sendInBackground(writer.finish()).catch((error: { code?: string }) => {
        if (error.code !== 'ENODEV') throw error
      })
    },
  }
}

function checkSharing(record: NetworkRecord, { parent, link }: ParentSettings, others: readonly NetworkRecord[]): void {
  if (link.kind !== 'macvlan') return
  for (const other of others) {
    if (other.driver !== 'macvlan' || !isOnParent(other, parent)) continue
    if (link.mode === 'passthru') {
      throw forbidden(`cannot use mode passthru, macvlan network ${other.id} is already using parent interface ${parent}`)
    }
    const theirs = parentSettings(other).link
    if (theirs.kind === 'macvlan' && theirs.mode === 'passthru') {
      throw forbidden(`macvlan network ${other.id} is already using parent interface ${parent} in mode passthru`)
    }
  }
}

function isOnParent(record: NetworkRecord, parent: string): boolean {
  return ['macvlan', 'ipvlan'].includes(record.driver) && record.configOnly !== true && parentSettings(record).parent === parent
}

/** Asks for a link on no parent: a kernel that knows the kind finds no such device, one that does not says so. */
function checkKind(route: RouteNetlink, { link }: ParentSettings): void {
  try {
    sendTo(route, (writer) => {
      encodeNewSubLink(writer, { type: link, parent: 0, index: 0, name: 'gantry-probe', mac: '', mtu: 0, pid: process.pid })
    })
  } catch (error) {
    const { code = '' } = error as { code?: string }
    if (!['ENOTSUP', 'EOPNOTSUPP'].includes(code)) return
    throw new EngineError('NOT_IMPLEMENTED', `this kernel has no ${link.kind} links: ${(error as Error).message}`, { cause: error })
  }
}

/** Answers whether it had to be made. */
function ensureParent(route: RouteNetlink, { link: { kind }, parent, isDummy }: ParentSettings): boolean {
  if (route.link({ name: parent }) !== undefined) return false
  try {
    if (isDummy) {
      sendTo(route, (writer) => encodeNewDummy(writer, parent))
    } else {
      const { parent: below, id } = parseVlanName(parent)
      const { index } = requireLink(route, below, `-o parent interface was not found on the host: ${below}`)
      sendTo(route, (writer) => encodeNewVlan(writer, { name: parent, parent: index, id }))
    }
  } catch (error) {
    if (error instanceof EngineError) throw error
    throw internal(`failed to create the ${kind} parent link ${parent}: ${(error as Error).message}`, error)
  }
  return true
}

function requireLink(route: RouteNetlink, name: string, message: string): LinkInfo {
  const link = route.link({ name })
  if (link === undefined) throw invalidArgument(message)
  return link
}
