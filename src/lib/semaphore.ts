/** At most `limit` holders at a time; waiters are served in the order they came. */
export class Semaphore {
  readonly #limit: () => number
  readonly #waiting: (() => void)[] = []
  #held = 0

  /** `limit` is asked anew each time, so that a change counts for those who come later; at least 1. */
  constructor(limit: number | (() => number)) {
    this.#limit = typeof limit === 'number' ? () => limit : limit
  }

  /** Whether the next one would have to wait. */
  get isFull(): boolean {
    return this.#held >= Math.max(1, this.#limit())
  }

  /** Resolves with a place; `using place = await semaphore.take()` gives it back. Throws the signal's reason when that comes first. */
  async take(signal?: AbortSignal): Promise<Disposable> {
    signal?.throwIfAborted()
    if (this.isFull || this.#waiting.length > 0) await this.#wait(signal)
    else this.#held++
    let released = false
    return {
      [Symbol.dispose]: () => {
        if (released) return
        released = true
        this.#held--
        while (this.#waiting.length > 0 && !this.isFull) {
          this.#held++
          this.#waiting.shift()?.()
        }
      },
    }
  }

  /** Whoever wakes a waiter has counted it as a holder already. */
  async #wait(signal: AbortSignal | undefined): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const abort = (): void => {
      const index = this.#waiting.indexOf(resolve)
      // Woken in this same turn: it has a place, and nobody else may be taken out of the queue for it.
      if (index < 0) return
      this.#waiting.splice(index, 1)
      reject(signal?.reason)
    }
    this.#waiting.push(resolve)
    signal?.addEventListener('abort', abort, { once: true })
    try {
      await promise
    } finally {
      signal?.removeEventListener('abort', abort)
    }
  }
}
