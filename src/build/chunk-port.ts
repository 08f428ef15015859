/** A stream of bytes from one thread to another, over a message port: the sender stays a few chunks ahead, and no more. */

import { once } from 'node:events'
import type { MessagePort } from 'node:worker_threads'
import { internal } from '#errors'

/** Chunks under way, of which each is to be worth a message: see `batched`. */
const AHEAD = 4

/** What the sender says; the receiver answers each chunk, when it wants another one, with anything. */
type Message = Uint8Array<ArrayBuffer> | { end: true } | { error: string }

/**
 * Sends all there is. Rejects with what the chunks fail with, which the receiver is told, and with the reason of `signal`, which is the only way out when the
 * receiver has gone: of that nothing is heard.
 */
export async function sendChunks(port: MessagePort, chunks: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void> {
  let ahead = 0
  const say = (message: Message): void => port.postMessage(message, message instanceof Uint8Array ? [message.buffer] : [])
  port.on('message', () => ahead--)
  try {
    for await (const chunk of chunks) {
      signal.throwIfAborted()
      say(new Uint8Array(chunk)) // a copy that has its memory for itself, and can be given away
      if (++ahead > AHEAD) await once(port, 'message', { signal })
    }
    say({ end: true })
  } catch (error) {
    say({ error: error instanceof Error ? error.message : String(error) })
    throw error
  }
}

/** What is sent; ending it closes the port. Throws INTERNAL when the sender fails or goes. */
export async function* receivedChunks(port: MessagePort): AsyncGenerator<Buffer, void, void> {
  const waiting: Message[] = []
  let next = Promise.withResolvers<void>()
  const add = (message: Message): void => {
    waiting.push(message)
    next.resolve()
  }
  port.on('message', add)
  port.on('close', () => add({ error: 'the sender has gone' }))
  try {
    for (;;) {
      const message = waiting.shift()
      if (message === undefined) {
        await next.promise
        next = Promise.withResolvers()
      } else if (message instanceof Uint8Array) {
        port.postMessage(true)
        yield Buffer.from(message.buffer)
      } else if ('error' in message) throw internal(message.error)
      else return
    }
  } finally {
    port.close()
  }
}
