import type { Socket } from 'node:net'
import { createUnframer, frame } from './tcp-framing.ts'

/** Milliseconds without a word (RFC 7766 §6.2.3: seconds). */
const IDLE = 10_000
/** Bytes of answers that wait for a client: one that asks and does not read is let go. */
const MAX_UNREAD = 1024 * 1024
/** Questions of one client that are worked on at once. The rest waits, unread as far as possible: one chunk can hold thousands, for all others to wait. */
const MAX_AT_ONCE = 32

/** Answers the questions of one client, in the order in which answers are found (RFC 7766 §6.2.1.1), until either side ends the connection. */
export function converse(socket: Socket, answer: (message: Buffer) => Promise<Buffer | undefined>): void {
  const unframe = createUnframer()
  let messages: Buffer[] = []
  let underWay = 0
  let turn: NodeJS.Immediate | undefined

  async function reply(message: Buffer): Promise<void> {
    try {
      const bytes = await answer(message)
      if (bytes !== undefined && !socket.destroyed) socket.write(frame(bytes))
    } catch {
      socket.destroy()
    } finally {
      underWay--
      // Not at once: names of ours are answered without waiting, and one client's would follow each other within one turn of the event loop.
      turn ??= setImmediate(takeSome)
    }
  }

  function takeSome(): void {
    turn = undefined
    for (const message of messages.splice(0, MAX_AT_ONCE - underWay)) {
      if (socket.writableLength > MAX_UNREAD) socket.destroy()
      if (socket.destroyed) return
      underWay++
      void reply(message)
    }
    if (messages.length === 0 && underWay < MAX_AT_ONCE) socket.resume()
  }

  socket.on('error', () => {})
  socket.setTimeout(IDLE, () => socket.destroy())
  socket.on('data', (chunk: Buffer) => {
    socket.pause()
    messages = messages.concat(unframe(chunk))
    takeSome()
  })
}
