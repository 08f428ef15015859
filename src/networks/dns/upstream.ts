import { randomInt } from 'node:crypto'
import { isIPv6 } from 'node:net'
import { answers, readAnswer, type UpstreamAnswer } from './answer.ts'
import { type Query, RCODE, writeUpstreamQuery } from './message.ts'
import { exchangeTcp } from './tcp-exchange.ts'
import { exchangeUdp } from './udp-exchange.ts'

/** A server that knows more names. */
export interface UpstreamServer {
  /** IPv6 ones may have a zone. */
  address: string
  port: number
  /** Reached from the network namespace of this process; absent: from ours. */
  pid?: number
}

export interface ExchangeRequest {
  server: UpstreamServer
  query: Buffer
  accepts: (answer: Buffer) => boolean
  /** An unbound socket to use; belongs to who is asked from now on. Absent: one is made. */
  fd?: number
  signal: AbortSignal
}

type Exchange = (request: ExchangeRequest) => Promise<Buffer>

export interface UpstreamDeps {
  /** A socket in the namespace of a process. */
  openSocket: (pid: number, protocol: 'udp' | 'tcp', family: 4 | 6) => number
  /** Milliseconds for one server and protocol. */
  timeout?: number
  exchange?: { udp: Exchange; tcp: Exchange }
  now?: () => number
}

export interface Upstream {
  /** The first answer that is one, of the servers in turn; undefined when none has any. Throws the signal's reason. */
  ask(query: Query, servers: readonly UpstreamServer[], overTcp: boolean, signal: AbortSignal): Promise<UpstreamAnswer | undefined>
}

/** Both as Docker has them. */
const TIMEOUT = 4000
const MAX_SERVERS = 3
/** For this many milliseconds a server that was silent is asked after the others: else each question would wait for it. */
const SULKING = 15_000
/** More silent servers than that are not remembered: containers name them as they like. */
const MAX_SILENT = 256

export function createUpstream(deps: UpstreamDeps): Upstream {
  const { timeout = TIMEOUT, exchange = { udp: exchangeUdp, tcp: exchangeTcp }, now = () => performance.now() } = deps
  /** Server to when it may be trusted again. */
  const silent = new Map<string, number>()

  function isSilent(server: UpstreamServer): boolean {
    const until = silent.get(keyOf(server))
    if (until === undefined || until > now()) return until !== undefined
    silent.delete(keyOf(server))
    return false
  }

  function remember(server: UpstreamServer): void {
    if (silent.size >= MAX_SILENT) silent.clear()
    silent.set(keyOf(server), now() + SULKING)
  }

  async function exchangeWith(server: UpstreamServer, query: Query, protocol: 'udp' | 'tcp', signal: AbortSignal): Promise<UpstreamAnswer> {
    const id = randomInt(0x10000)
    const limit = AbortSignal.timeout(timeout)
    const family = isIPv6(server.address.replace(/%.*/, '')) ? 6 : 4
    const fd = server.pid === undefined ? undefined : deps.openSocket(server.pid, protocol, family)
    const bytes = await exchange[protocol]({
      server,
      query: writeUpstreamQuery(query, id),
      accepts: (answer) => answers(answer, id, query.question),
      ...(fd !== undefined && { fd }),
      signal: AbortSignal.any([signal, limit]),
    })
    return readAnswer(bytes)
  }

  /** Answers too long for a datagram are fetched by TCP; a server without TCP has given what it has. */
  async function askOne(server: UpstreamServer, query: Query, overTcp: boolean, signal: AbortSignal): Promise<UpstreamAnswer | undefined> {
    let short: UpstreamAnswer | undefined
    try {
      if (!overTcp) short = await exchangeWith(server, query, 'udp', signal)
      if (short?.truncated === false) return short
      return await exchangeWith(server, query, 'tcp', signal)
    } catch (error) {
      signal.throwIfAborted()
      if (short === undefined && isTimeout(error)) remember(server)
      return short
    }
  }

  return {
    async ask(query, servers, overTcp, signal) {
      const some = servers.slice(0, MAX_SERVERS)
      for (const server of [...some.filter((one) => !isSilent(one)), ...some.filter(isSilent)]) {
        const answer = await askOne(server, query, overTcp, signal)
        if (answer === undefined) continue
        silent.delete(keyOf(server))
        // A server that fails or refuses may do so to us alone; the next one may know.
        if (answer.rcode !== RCODE.serverFailure && answer.rcode !== RCODE.refused) return answer
      }
      return undefined
    },
  }
}

/** Servers with the same key answer alike. */
export function keyOf({ address, port, pid }: UpstreamServer): string {
  return `${address} ${port} ${pid ?? ''}`
}

function isTimeout(error: unknown): boolean {
  return error instanceof Error && error.name === 'TimeoutError'
}
