import type { Socket } from 'node:net'
import type { Listeners } from './container-sockets.ts'
import { createUnframer, frame } from './tcp-framing.ts'

/** Answer to a message; undefined: none. */
export type Answer = (bytes: Buffer, protocol: 'udp' | 'tcp') => Promise<Buffer | undefined>

const MAX_CONNECTIONS = 64
/** Milliseconds without a word (RFC 7766 §6.2.3: seconds). */
const IDLE = 10_000
/** A client that asks and does not read is let go; datagrams past this are not sent. */
const MAX_UNREAD = 1024 * 1024

/** Gives everything the listeners hear to `answer`. Ends when they are closed; the returned function also ends connections. */
export function serveQuestions({ udp, tcp }: Listeners, answer: Answer): () => void {
  const connections = new Set<Socket>()

  /** The kernel takes no more for now; what waits is memory of ours. */
  const isFull = (): boolean => isOpen && udp.getSendQueueSize() >= MAX_UNREAD

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
    const unframe = createUnframer()
    connections.add(socket)
    socket.on('close', () => connections.delete(socket))
    socket.on('error', () => {})
    socket.setTimeout(IDLE, () => socket.destroy())
    socket.on('data', (chunk: Buffer) => {
      for (const message of unframe(chunk)) {
        void answer(message, 'tcp')
          .then((reply) => {
            if (reply !== undefined && !socket.destroyed) socket.write(frame(reply))
            if (socket.writableLength > MAX_UNREAD) socket.destroy()
          })
          .catch(() => socket.destroy())
      }
    })
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
