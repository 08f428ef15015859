import { setTimeout as sleep } from 'node:timers/promises'

export interface RetryOptions {
  /** Calls in all, at least 1. */
  attempts: number
  /** Milliseconds before the second call; each further wait is `factor` (2) times longer, up to `maxDelayMs` (no bound). */
  delayMs: number
  factor?: number
  maxDelayMs?: number
  /** Whether an error is worth another call; all are by default. */
  retryable?: (error: unknown) => boolean
  signal?: AbortSignal
}

/** Calls `work` until it succeeds. Rejects with the last error, or with the signal's reason while waiting. `attempt` counts from 1. */
export async function retry<T>(work: (attempt: number) => T | Promise<T>, options: RetryOptions): Promise<T> {
  const { attempts, factor = 2, maxDelayMs = Infinity, retryable = () => true, signal } = options
  let delay = options.delayMs
  for (let attempt = 1; ; attempt++) {
    signal?.throwIfAborted()
    try {
      return await work(attempt)
    } catch (error) {
      if (attempt >= attempts || !retryable(error)) throw error
    }
    // The timer's own AbortError would hide the reason the caller gave.
    await sleep(Math.min(delay, maxDelayMs), undefined, signal === undefined ? {} : { signal }).catch(() => signal?.throwIfAborted())
    delay *= factor
  }
}
