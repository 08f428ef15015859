import { isIPv4, isIPv6 } from 'node:net'
import { invalidArgument, notImplemented } from '#errors'
import type { PortProtocol, PortRequest } from '../types.ts'

/** A request understood: the host ports it may be given, `first` 0 when any will do. */
export interface WantedPort {
  containerPort: number
  protocol: PortProtocol
  /** `0.0.0.0` for all addresses. */
  hostIp: string
  first: number
  last: number
}

/**
 * Understands the forms of `-p`: no host port, one, or a range to choose from. Throws INVALID_ARGUMENT, NOT_IMPLEMENTED for IPv6 host addresses.
 * `defaultIp` is the daemon's `--ip`.
 */
export function parsePortRequest(request: PortRequest, defaultIp: string): WantedPort {
  const hostIp = request.hostIp === '' ? defaultIp : request.hostIp
  if (isIPv6(hostIp)) throw notImplemented(`publishing ports on the IPv6 address ${hostIp} is not supported yet`)
  if (!isIPv4(hostIp)) throw invalidArgument(`invalid IP address: ${hostIp}`)
  const { first, last } = parseHostPort(request.hostPort)
  return { containerPort: request.containerPort, protocol: request.protocol, hostIp, first, last }
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
export function byExactness(one: WantedPort, other: WantedPort): number {
  const isExact = ({ first, last }: WantedPort): number => (first !== 0 && first === last ? 0 : 1)
  return isExact(one) - isExact(other) || one.containerPort - other.containerPort || one.first - other.first || one.last - other.last
}
