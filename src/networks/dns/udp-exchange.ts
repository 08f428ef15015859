import { createSocket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import type { ExchangeRequest } from './upstream.ts'

/** A datagram may get lost: asked again, from the same port, after this many milliseconds. */
const ASK_AGAIN = 1500

/**
 * Asks one server by UDP. The port is new each time, chosen by the kernel, and the socket connected: datagrams of others do not come in (RFC 5452
 * §9.2), a closed port is known at once. Answers that `accepts` says no to are passed over. Throws what the socket throws, and the signal's reason.
 */
export async function exchangeUdp({ server, query, accepts, fd, signal }: ExchangeRequest): Promise<Buffer> {
  const isVersion6 = isIPv6(server.address.replace(/%.*/, ''))
  const socket = createSocket({
    type: isVersion6 ? 'udp6' : 'udp4',
    lookup: (address, _options, found) => found(null, address, isVersion6 ? 6 : 4), // it is one: nothing to look up
  })
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
  let again: NodeJS.Timeout | undefined
  let isOpen = true
  const abort = (): void => reject(signal.reason)
  const send = (): void => socket.send(query, (error) => error !== null && reject(error))
  try {
    socket.on('error', reject)
    socket.on('message', (message) => {
      if (accepts(message)) resolve(message)
    })
    if (fd !== undefined) socket.bind({ fd })
    signal.throwIfAborted()
    signal.addEventListener('abort', abort, { once: true })
    socket.connect(server.port, server.address, (error?: Error) => {
      if (!isOpen) return // told in the next turn, when the signal may have come
      if (error !== undefined) return reject(error)
      send()
      again = setTimeout(send, ASK_AGAIN)
    })
    return await promise
  } finally {
    isOpen = false
    clearTimeout(again)
    signal.removeEventListener('abort', abort)
    socket.close()
  }
}
