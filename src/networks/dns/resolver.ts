import { fit, foldCase, passOn, type UpstreamAnswer } from './answer.ts'
import type { AnswerCache, CachedAnswer } from './answer-cache.ts'
import { endToEnd } from './edns.ts'
import { CLASS_IN, isBad, type LocalRecord, type Query, RCODE, readQuery, refusal, TYPE, writeAnswer } from './message.ts'
import { keyOf, type Upstream, type UpstreamServer } from './upstream.ts'
import type { Addresses, Zone } from './zone.ts'

/** Answers the questions of all containers. */
export interface Resolver {
  /** Undefined: no answer is due. Throws the reason of either signal. */
  answer(question: Question): Promise<Buffer | undefined>
}

export interface Question {
  containerId: string
  bytes: Buffer
  protocol: 'udp' | 'tcp'
  /** Asked when the name is none of ours. */
  servers: readonly UpstreamServer[]
  /** The container ends: its own servers need not be waited for. */
  signal: AbortSignal
}

export interface ResolverDeps {
  zone: Zone
  cache: AnswerCache
  upstream: Upstream
  /** Nobody waits any more. */
  signal: AbortSignal
}

/** As Docker's. Clients that keep names so long lose a container that moves; nearly none do. */
const TTL = 600
/** Of UDP without EDNS (RFC 1035 §4.2.1). */
const PLAIN_SIZE = 512
/** Of UDP, whatever the client says: senders of datagrams can be forged, and a large answer to a small question goes to somebody else. */
const MAX_DATAGRAM = 4096
const MAX_SIZE = 0xffff
/** How many questions may wait for servers at once, of one container (as with Docker) and of all. */
const MAX_WAITING_OF_ONE = 1024
const MAX_WAITING = 4096

/** Names of the container's networks first, then what is kept, then the servers; the same question of many goes to them once. */
export function createResolver({ zone, cache, upstream, signal }: ResolverDeps): Resolver {
  const asked = new Map<string, Promise<UpstreamAnswer | undefined>>()
  const waitingOf = new Map<string, number>()
  let waiting = 0

  function local(containerId: string, query: Query): LocalRecord[] | undefined {
    if (query.class !== CLASS_IN || query.name === '') return undefined
    if (query.type === TYPE.PTR) {
      const data = zone.nameOf(containerId, query.name)
      return data === undefined ? undefined : [{ type: 'PTR', ttl: TTL, data }]
    }
    const addresses = zone.addressesOf(containerId, query.name)
    return addresses === undefined ? undefined : addressRecords(addresses, query.type)
  }

  async function foreign(question: Question, query: Query): Promise<CachedAnswer | number> {
    const { containerId, servers } = question
    if (servers.length === 0) return RCODE.serverFailure
    const key = cacheKey(servers, query)
    const cached = key === undefined ? undefined : cache.get(key)
    if (cached !== undefined) return cached
    const ofOne = waitingOf.get(containerId) ?? 0
    if (ofOne >= MAX_WAITING_OF_ONE || waiting >= MAX_WAITING) return RCODE.refused
    waitingOf.set(containerId, ofOne + 1)
    waiting++
    try {
      const answer = await ask(key, query, question)
      return answer === undefined ? RCODE.serverFailure : { answer, age: 0 }
    } finally {
      waiting--
      const left = (waitingOf.get(containerId) ?? 1) - 1
      if (left === 0) waitingOf.delete(containerId)
      else waitingOf.set(containerId, left)
    }
  }

  function ask(key: string | undefined, query: Query, question: Question): Promise<UpstreamAnswer | undefined> {
    const underWay = key === undefined ? undefined : asked.get(key)
    if (underWay !== undefined) return underWay
    // What goes to the host's servers others may wait for too, when this container is gone; sockets inside it would keep its namespace.
    const until = question.servers.some(({ pid }) => pid !== undefined) ? AbortSignal.any([signal, question.signal]) : signal
    const answer = upstream.ask(query, question.servers, question.protocol === 'tcp', until)
    if (key === undefined) return answer
    const kept = answer
      .then((got) => {
        if (got !== undefined) cache.put(key, got)
        return got
      })
      .finally(() => asked.delete(key))
    asked.set(key, kept)
    return kept
  }

  return {
    async answer(question) {
      const raw = readQuery(question.bytes)
      if (raw === undefined) return undefined
      if (isBad(raw)) return refusal(raw)
      const query = raw.edns === undefined ? raw : { ...raw, edns: endToEnd(raw.edns) }
      const limit = question.protocol === 'tcp' ? MAX_SIZE : Math.min(MAX_DATAGRAM, query.edns?.size ?? PLAIN_SIZE)
      const own = (rcode: number, records?: readonly LocalRecord[]): Buffer => fit(writeAnswer(query, rcode, records), query, limit)
      // Whole zones are for those who run servers.
      if (query.type === TYPE.AXFR || query.type === TYPE.IXFR) return own(RCODE.notImplemented)
      const records = local(question.containerId, query)
      if (records !== undefined) return own(RCODE.ok, records)
      const got = await foreign(question, query)
      return typeof got === 'number' ? own(got) : passOn(got.answer, query, got.age, limit)
    },
  }
}

/** A name of ours without such records has none: asking others for them would tell them our names, and get "no such name" for one there is. */
function addressRecords({ ipv4, ipv6 }: Addresses, type: number): LocalRecord[] {
  const records: LocalRecord[] = []
  if (type === TYPE.A || type === TYPE.ANY) records.push(...shuffled(ipv4).map((data) => ({ type: 'A' as const, ttl: TTL, data })))
  if (type === TYPE.AAAA || type === TYPE.ANY) records.push(...shuffled(ipv6).map((data) => ({ type: 'AAAA' as const, ttl: TTL, data })))
  return records
}

/** Clients take the first: this is the round robin. */
function shuffled(addresses: readonly string[]): string[] {
  const rest = [...addresses]
  const result: string[] = []
  while (rest.length > 0) result.push(...rest.splice(Math.floor(Math.random() * rest.length), 1))
  return result
}

/** Undefined: the answer may depend on more than name and type (client subnet and the like), and is for one client only. */
function cacheKey(servers: readonly UpstreamServer[], query: Query): string | undefined {
  if (query.edns !== undefined && query.edns.options.length > 0) return undefined
  const edns = query.edns === undefined ? 'none' : query.edns.dnssec ? 'dnssec' : 'plain'
  return [...servers.map(keyOf), query.wishes, edns, foldCase(query.question)].join('|')
}
