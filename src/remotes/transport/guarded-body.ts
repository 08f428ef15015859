import type { IncomingMessage } from 'node:http'
import type { TransferLimits } from '../types.ts'
import { NetworkError, networkError } from './network-error.ts'

/**
 * A response's body that breaks off when the sender stalls: nothing for `idle`, or less than `minimumBytes` in a `window` of waiting (slow
 * loris). Only the time that we wait for the sender counts; a slow disk on our side is not its fault. Leaving the loop early closes the
 * connection. Throws {@link NetworkError}.
 */
export async function* guardedBody(
  incoming: IncomingMessage,
  request: { method: string; url: string },
  limits: TransferLimits,
): AsyncGenerator<Buffer, void, void> {
  const chunks = incoming[Symbol.asyncIterator]() as AsyncIterator<Buffer, void>
  let waiting = false
  let waited = 0
  let received = 0
  const timer = setTimeout(() => {
    if (waiting) incoming.destroy(new NetworkError(request, 'read: i/o timeout'))
    else timer.refresh()
  }, limits.idle)
  try {
    for (;;) {
      const began = performance.now()
      waiting = true
      timer.refresh()
      const next = await chunks.next()
      waiting = false
      if (next.done === true) return
      waited += performance.now() - began
      received += next.value.length
      if (waited >= limits.window) {
        if (received < limits.minimumBytes)
          throw new NetworkError(request, `read: i/o timeout: ${received} bytes in ${Math.round(waited / 1000)} s`)
        waited = 0
        received = 0
      }
      yield next.value
    }
  } catch (error) {
    throw networkError(request, error)
  } finally {
    clearTimeout(timer)
    await chunks.return?.()
  }
}
