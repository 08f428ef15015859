import { setTimeout as sleep } from 'node:timers/promises'
import { EngineError } from '#errors'
import { unlessAborted } from '#lib'

/** What a cancelled operation throws; Go's words, since they end up in front of Docker's users. */
function cancelled(signal: AbortSignal): EngineError {
  return signal.reason instanceof EngineError ? signal.reason : new EngineError('CANCELLED', 'context canceled', { cause: signal.reason })
}

/** Throws CANCELLED when `signal` is aborted. */
export function checkCancelled(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw cancelled(signal)
}

/** Waits for work that others wait for, too: it goes on when this caller gives up. Throws CANCELLED then. */
export async function abandonable<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  checkCancelled(signal)
  if (signal === undefined) return await work
  try {
    return await unlessAborted(work, signal)
  } catch (error) {
    throw error === signal.reason ? cancelled(signal) : error
  }
}

/** Throws CANCELLED as soon as `signal` is aborted. */
export async function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  await sleep(milliseconds, undefined, signal === undefined ? {} : { signal }).catch(() => undefined)
  checkCancelled(signal)
}

/** A signal that is aborted with any of the given ones. */
export function anySignal(...signals: (AbortSignal | undefined)[]): AbortSignal | undefined {
  const given = signals.filter((signal) => signal !== undefined)
  return given.length > 1 ? AbortSignal.any(given) : given[0]
}
