import { Socket } from 'node:net'
import { createUnframer, frame } from './tcp-framing.ts'
import type { ExchangeRequest } from './upstream.ts'

/** Asks one server by TCP, with a connection of its own. Throws what the socket throws, and the signal's reason. */
export async function exchangeTcp({ server, query, accepts, fd, signal }: ExchangeRequest): Promise<Buffer> {
  // manualStart: a socket that is not connected yet cannot be read.
  const socket = fd === undefined ? new Socket() : new Socket({ fd, manualStart: true } as { fd: number })
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
  const unframe = createUnframer()
  const abort = (): void => reject(signal.reason)
  try {
    signal.throwIfAborted()
    signal.addEventListener('abort', abort, { once: true })
    socket.on('error', reject)
    socket.on('close', () => reject(new Error(`Cannot ask ${server.address}: connection closed without an answer`)))
    socket.on('data', (chunk: Buffer) => {
      for (const message of unframe(chunk)) if (accepts(message)) resolve(message)
    })
    socket.connect({ port: server.port, host: server.address }, () => socket.write(frame(query)))
    return await promise
  } finally {
    signal.removeEventListener('abort', abort)
    socket.destroy()
  }
}
