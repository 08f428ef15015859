import type { ClientRequest } from 'node:http'

/**
 * Sends a streamed body and ends the request. Stops early, without an error, when the connection is gone or the answer is there already:
 * the request tells about that. A receiver that takes nothing for `idle` milliseconds fails it. Rejects only with what `source` threw; the
 * connection is closed then, and the receiver sees an incomplete body.
 */
export async function writeBody(
  request: ClientRequest,
  source: AsyncIterable<Buffer>,
  options: { idle: number; fail: (reason: string) => void; progress?: ((sent: number) => void) | undefined },
): Promise<void> {
  let over = false
  let sent = 0
  const end = (): void => void (over = true)
  request.once('response', end)
  request.once('close', end)
  try {
    for await (const chunk of source) {
      if (over) return
      if (!request.write(chunk)) await drained(request, options)
      sent += chunk.length
      options.progress?.(sent)
    }
  } catch (error) {
    request.destroy()
    throw error
  }
  request.end()
}

/** Resolves when more may be written, or when nothing will be any more. */
async function drained(request: ClientRequest, { idle, fail }: { idle: number; fail: (reason: string) => void }): Promise<void> {
  if (request.destroyed) return
  const { promise, resolve } = Promise.withResolvers<void>()
  const events = ['drain', 'close', 'response']
  for (const event of events) request.once(event, resolve)
  const timer = setTimeout(() => fail('write: i/o timeout'), idle)
  await promise
  clearTimeout(timer)
  for (const event of events) request.off(event, resolve)
}
