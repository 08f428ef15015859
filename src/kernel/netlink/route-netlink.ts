import { AsyncMutex } from '#lib'
import { createSystemCalls, type SystemCalls, syscallError } from '../ffi/system-calls.ts'
import type { RouteNetlink } from '../types.ts'
import { MessageWriter, type NetlinkMessage, decodeMessages } from './message.ts'
import {
  type LinkTarget,
  decodeAddress,
  decodeLink,
  decodeRoute,
  encodeDumpAddresses,
  encodeDumpLinks,
  encodeDumpRoutes,
  encodeGetLink,
} from './route-messages.ts'
import { NETLINK_ROUTE, type NetlinkReply, openNetlinkSocket } from './socket.ts'

const ENODEV = 19
const EIO = 5

function check(requests: Buffer, reply: NetlinkReply): void {
  const [error] = reply.errors
  if (error !== undefined) throw syscallError('rtnetlink', error.errno, [`message ${error.sequence}`], error.text)
  const unanswered = decodeMessages(requests).find((message) => !reply.acknowledged.has(message.sequence))
  if (unanswered !== undefined) throw syscallError('rtnetlink', EIO, [`message ${unanswered.sequence}`], 'no answer')
}

/** {@link RouteNetlink} of the namespace the calling thread is in. */
export function openRouteNetlink(system: SystemCalls = createSystemCalls()): RouteNetlink {
  const socket = openNetlinkSocket(system, NETLINK_ROUTE)
  // One of its own: answers to the main thread's requests must not land with the pool's, nor the other way round.
  const backgroundSocket = openNetlinkSocket(system, NETLINK_ROUTE)
  const mutex = new AsyncMutex()

  function dump<T>(encode: (writer: MessageWriter) => void, decode: (message: NetlinkMessage) => T | undefined): T[] {
    return exchange(encode)
      .messages.map(decode)
      .filter((item) => item !== undefined)
  }

  function exchange(encode: (writer: MessageWriter) => void): { messages: NetlinkMessage[] } {
    const writer = new MessageWriter()
    encode(writer)
    const reply = socket.exchange(writer.finish())
    const [error] = reply.errors
    if (error !== undefined) throw syscallError('rtnetlink', error.errno, [], error.text)
    return reply
  }

  return {
    send: (requests) => check(requests, socket.exchange(requests)),
    sendInBackground: (requests) => mutex.run(async () => check(requests, await backgroundSocket.exchangeInBackground(requests))),
    link(target: LinkTarget) {
      try {
        return dump((writer) => encodeGetLink(writer, target), decodeLink)[0]
      } catch (error) {
        if ((error as { errno?: number }).errno === ENODEV) return undefined
        throw error
      }
    },
    links: () => dump(encodeDumpLinks, decodeLink),
    addresses: () => dump(encodeDumpAddresses, decodeAddress),
    routes: () => dump(encodeDumpRoutes, decodeRoute),
    [Symbol.dispose]() {
      socket[Symbol.dispose]()
      if (mutex.pending === 0) backgroundSocket[Symbol.dispose]()
      else void mutex.run(() => backgroundSocket[Symbol.dispose]()) // a thread of the pool is at it
    },
  }
}
