import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'

/** Milliseconds in which a client that is still sending may read why it need not. */
const GRACE = 5000

/**
 * The body of a request as a stream of its own. A reader that stops in the middle (`for await`, `pipeline`: a full disk, a bad archive) destroys this one
 * and not the connection, over which its client is still to hear why.
 */
export function requestBody(request: IncomingMessage): Readable {
  return Readable.from(chunks(request), { objectMode: false })
}

/** A generator between the two: what is thrown into the request's own iterator destroys the request whatever its option says. */
async function* chunks(request: IncomingMessage): AsyncGenerator<Buffer, void, void> {
  for await (const chunk of request.iterator({ destroyOnReturn: false })) yield chunk as Buffer
}

/**
 * To be called when a request has been answered: what is still coming of its body is dropped. Closing the connection at once would reset it, and the
 * client, busy sending, would see a broken pipe instead of the answer.
 */
export function dropRest(request: IncomingMessage): void {
  if (request.complete || request.destroyed) return
  const timer = setTimeout(() => request.socket.destroy(), GRACE).unref()
  request.once('close', () => clearTimeout(timer)).once('end', () => clearTimeout(timer))
  request.on('error', () => {}) // the client leaves: that is what we want
  request.resume()
}
