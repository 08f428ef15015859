/** One holder at a time; waiters are served in the order they came. Not re-entrant: a holder that locks again waits for itself. */
export class AsyncMutex {
  #tail: Promise<void> = Promise.resolve()
  #held = 0

  /** Holders and waiters. */
  get pending(): number {
    return this.#held
  }

  /** Resolves with the lock; `using lock = await mutex.lock()` gives it back at the end of the block. Disposing twice is harmless. */
  async lock(): Promise<Disposable> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const before = this.#tail
    this.#tail = promise
    this.#held++
    await before
    let released = false
    return {
      [Symbol.dispose]: () => {
        if (released) return
        released = true
        this.#held--
        resolve()
      },
    }
  }

  /** Runs `work` as the only holder. */
  async run<T>(work: () => T | Promise<T>): Promise<T> {
    using _lock = await this.lock()
    return await work()
  }
}
