/** What both sides of an exchange know of each other by EDNS (RFC 6891). */
export interface Edns {
  /** Bytes that fit into one datagram. */
  size: number
  /** The DO bit: signatures are wanted. */
  dnssec: boolean
  /** Upper eight bits of the response code. */
  extendedRcode: number
  options: { code: number; data: Buffer }[]
}

/** What we say fits: no fragments on any usual path (DNS flag day 2020). */
export const EDNS_SIZE = 1232

/** Options between two neighbours, not for the next hop: cookie, keepalive, padding (RFC 7873, 7828, 7830). */
const HOP_BY_HOP: ReadonlySet<number> = new Set([10, 11, 12])

export function endToEnd(edns: Edns): Edns {
  return { ...edns, options: edns.options.filter(({ code }) => !HOP_BY_HOP.has(code)) }
}
