import type { Socket } from 'node:net'
import type { Listeners } from './container-sockets.ts'
import { converse } from './tcp-conversation.ts'

/** Answer to a message; undefined: none. */
export type Answer = (bytes: Buffer, protocol: 'udp' | 'tcp') => Promise<Buffer | undefined>

const MAX_CONNECTIONS = 64
/** Bytes of datagrams that wait for the kernel; past this none are sent. */
const MAX_UNSENT = 1024 * 1024

/** Gives everything the listeners hear to `answer`. Ends when they are closed; the returned function also ends connections. */
export function serveQuestions({ udp, tcp }: Listeners, answer: Answer): () => void {
  const connections = new Set<Socket>()

  /** The kernel takes no more for now; what waits is memory of ours. */
  const isFull = (): boolean => isOpen && udp.getSendQueueSize() >= MAX_UNSENT

  udp.on('message', (message, from) => {
    if (from.port === 0) return // made by hand: no answer can be sent there
    if (isFull()) return
    void answer(message, 'udp')
      .then((reply) => {
        if (reply !== undefined && isOpen && !isFull()) udp.send(reply, from.port, from.address, () => {}) // the client may be gone
      })
      .catch(() => {}) // no answer: the client asks again
  })
  udp.on('error', () => {}) // of a datagram sent before, to a client that is gone

  tcp.maxConnections = MAX_CONNECTIONS
  tcp.on('connection', (socket) => {
    connections.add(socket)
    socket.on('close', () => connections.delete(socket))
    converse(socket, (message) => answer(message, 'tcp'))
  })
  tcp.on('error', () => {})

  let isOpen = true
  return () => {
    isOpen = false
    udp.close()
    tcp.close()
    for (const socket of connections) socket.destroy()
  }
}
