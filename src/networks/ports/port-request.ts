import { invalidArgument } from '#errors'
import { type Family, formatAddress, parseAddress, readAddress } from '../ipam/ip-address.ts'
import type { PortProtocol, PortRequest } from '../types.ts'

/** How the network that has the container's default route of one family publishes. */
export interface PublishSide {
  /** Where ports go that name no address; of either family. `0.0.0.0` stands for all addresses of both. */
  defaultIp: string
  /** No translation: the port is opened for those who know a route to the container. */
  routed: boolean
}

/** By family; absent: the container has no default route of it, and publishes nothing. */
export type PublishSides = Partial<Record<Family, PublishSide>>

/** A request understood. All of its host addresses get the same port. */
export interface WantedPort {
  containerPort: number
  protocol: PortProtocol
  hostIps: string[]
  /** Families in which the port is only opened. */
  routed: Family[]
  /** Host ports it may be given; `first` 0 when any will do. */
  first: number
  last: number
}

export const ANY_ADDRESS: Record<Family, string> = { 4: '0.0.0.0', 6: '::' }

/**
 * Understands the forms of `-p` for a container with these ways out: no host port, one, or a range to choose from; no address, or one of either family.
 * Requests that differ in nothing but the address become one. A family without a way out is left out, as Docker does without its proxy. Exact ports come
 * first. Throws INVALID_ARGUMENT.
 */
export function wantedPorts(requests: readonly PortRequest[], sides: PublishSides): WantedPort[] {
  const groups = new Map<string, WantedPort>()
  for (const request of requests) {
    const wanted = parsePortRequest(request, sides)
    const key = `${wanted.containerPort}/${wanted.protocol}/${wanted.first}-${wanted.last}`
    const group = groups.get(key)
    if (group === undefined) groups.set(key, wanted)
    // The same request twice wants two ports.
    else if (group.hostIps.some((address) => wanted.hostIps.includes(address))) groups.set(`${key}/${groups.size}`, wanted)
    else {
      group.hostIps.push(...wanted.hostIps)
      group.routed.push(...wanted.routed.filter((family) => !group.routed.includes(family)))
    }
  }
  return [...groups.values()].filter(({ hostIps, routed }) => hostIps.length + routed.length > 0).toSorted(byExactness)
}

/** Whether the request names an address that cannot lead anywhere from this container. */
export function isUnreachable({ hostIp }: PortRequest, sides: PublishSides): boolean {
  const address = readAddress(hostIp)
  return address !== undefined && sides[address.family] === undefined
}

function parsePortRequest({ containerPort, protocol, hostIp, hostPort }: PortRequest, sides: PublishSides): WantedPort {
  const { first, last } = parseHostPort(hostPort)
  const wanted: WantedPort = { containerPort, protocol, hostIps: [], routed: [], first, last }
  const asked = hostIp === '' ? undefined : parseAddress(hostIp)
  for (const family of [4, 6] as const) {
    const side = sides[family]
    if (side === undefined || (asked !== undefined && asked.family !== family)) continue
    const address = asked === undefined ? defaultAddress(side.defaultIp, family) : formatAddress(asked)
    if (address === undefined) continue
    if (side.routed) wanted.routed.push(family)
    else wanted.hostIps.push(address)
  }
  return wanted
}

function defaultAddress(defaultIp: string, family: Family): string | undefined {
  if (defaultIp === ANY_ADDRESS[4]) return ANY_ADDRESS[family]
  const address = parseAddress(defaultIp)
  return address.family === family ? formatAddress(address) : undefined
}

function parseHostPort(text: string): { first: number; last: number } {
  if (text === '' || text === '0') return { first: 0, last: 0 }
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text)
  const first = Number(match?.[1])
  const last = Number(match?.[2] ?? match?.[1])
  if (match === null || first === 0 || last < first || last > 65535) throw invalidArgument(`invalid host port: ${text}`)
  return { first, last }
}

/** Exact ports first: a range or "any" must not take what another request names. Otherwise as Docker orders them. */
function byExactness(one: WantedPort, other: WantedPort): number {
  const isExact = ({ first, last }: WantedPort): number => (first !== 0 && first === last ? 0 : 1)
  return isExact(one) - isExact(other) || one.containerPort - other.containerPort || one.first - other.first || one.last - other.last
}
