import { invalidArgument } from '#errors'
import type { SubLinkKind } from '#kernel'
import type { NetworkRecord } from '../types.ts'

/** Options of a macvlan or ipvlan network, understood. */
export interface ParentSettings {
  link: SubLinkKind
  /** Name of the host's link below; of the network's own dummy when none was given. */
  parent: string
  /** The parent is a link that leads nowhere: the network is internal. */
  isDummy: boolean
}

const MACVLAN_MODES: readonly string[] = ['bridge', 'private', 'passthru', 'vepa']
const IPVLAN_MODES: readonly string[] = ['l2', 'l3', 'l3s']
const IPVLAN_FLAGS: readonly string[] = ['bridge', 'private', 'vepa']

/** Throws INVALID_ARGUMENT with Docker's texts. */
export function parentSettings({ id, driver, options }: Pick<NetworkRecord, 'id' | 'driver' | 'options'>): ParentSettings {
  const link = driver === 'macvlan' ? macvlan(options) : ipvlan(options)
  const { parent = '' } = options
  if (parent === 'lo') throw invalidArgument(`loopback interface is not a valid ${driver} parent link`)
  if (parent !== '') return { link, parent, isDummy: false }
  return { link, parent: `${driver === 'macvlan' ? 'dm' : 'di'}-${id.slice(0, 12)}`, isDummy: true }
}

/** `eth0.10`: the link for VLAN 10 of eth0. Throws INVALID_ARGUMENT for a name that does not say so. */
export function parseVlanName(name: string): { parent: string; id: number } {
  if (!name.includes('.')) throw invalidArgument(`invalid subinterface vlan name ${name}, example formatting is eth0.10`)
  const [parent = '', idText = '', ...more] = name.split('.')
  if (more.length > 0) {
    throw invalidArgument(`required interface name format is: name.vlan_id, ex. eth0.10 for vlan 10, instead received ${name}`)
  }
  if (!/^\d{1,9}$/.test(idText)) throw invalidArgument(`unable to parse a valid vlan id from: ${idText} (ex. eth0.10 for vlan 10)`)
  const id = Number(idText)
  if (id < 1 || id > 4094) throw invalidArgument(`vlan id must be between 1-4094, received: ${id}`)
  return { parent, id }
}

function macvlan({ macvlan_mode: mode = 'bridge' }: Readonly<Record<string, string>>): SubLinkKind {
  if (!MACVLAN_MODES.includes(mode)) {
    throw invalidArgument(`requested macvlan mode '${mode}' is not valid, 'bridge' mode is the macvlan driver default`)
  }
  return { kind: 'macvlan', mode: mode as 'bridge' }
}

function ipvlan({ ipvlan_mode: mode = 'l2', ipvlan_flag: flag = 'bridge' }: Readonly<Record<string, string>>): SubLinkKind {
  if (!IPVLAN_MODES.includes(mode)) {
    throw invalidArgument(`requested ipvlan mode '${mode}' is not valid, 'l2' mode is the ipvlan driver default`)
  }
  if (!IPVLAN_FLAGS.includes(flag)) {
    throw invalidArgument(`requested ipvlan flag '${flag}' is not valid, 'bridge' is the ipvlan driver default`)
  }
  return { kind: 'ipvlan', mode: mode as 'l2', flag: flag as 'bridge' }
}
