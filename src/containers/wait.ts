import { EngineError } from '#errors'
import type { Context } from './context.ts'
import type { ContainerEntry, WaitCondition, Waiter } from './entry.ts'
import { isActive, lastEnding } from './state.ts'
import type { WaitResult } from './types.ts'

/** The last exit as an answer to a wait. */
export function endingOf(entry: ContainerEntry): WaitResult {
  const { exitCode, error } = lastEnding(entry.record.state)
  return error === '' ? { exitCode } : { exitCode, error }
}

/**
 * Registers a wait; when this returns nothing can be missed any more. `not-running` is over at once for a container without a process (one
 * that waits for its restart counts as running, as with Docker). `removed` also ends the other conditions, since no exit can follow.
 * `result` rejects with CANCELLED on abort. What `--rm` took away a moment ago is answered for with how it ended.
 */
export function waitContainer(ctx: Context, ref: string, condition: WaitCondition, signal?: AbortSignal): { result: Promise<WaitResult> } {
  const gone = ctx.endings.find(ref)
  if (gone !== undefined) return { result: Promise.resolve(gone) }
  const entry = ctx.store.find(ref)
  const { state } = entry.record
  if (condition === 'not-running' && !isActive(state) && state.status !== 'restarting') return { result: Promise.resolve(endingOf(entry)) }
  return { result: nextNotice(entry, condition, signal) }
}

function nextNotice(entry: ContainerEntry, condition: WaitCondition, signal: AbortSignal | undefined): Promise<WaitResult> {
  const { promise, resolve, reject } = Promise.withResolvers<WaitResult>()
  const waiter: Waiter = { condition, resolve }
  entry.waiters.add(waiter)
  if (signal !== undefined) {
    const give = (): void => {
      entry.waiters.delete(waiter)
      reject(new EngineError('CANCELLED', 'the wait was given up'))
    }
    if (signal.aborted) give()
    else {
      signal.addEventListener('abort', give, { once: true })
      void promise.then(
        () => signal.removeEventListener('abort', give),
        () => undefined,
      )
    }
  }
  // The server may not have come to the result when the client is gone already.
  promise.catch(() => undefined)
  return promise
}
