interface Entry<V> {
  readonly abort: AbortController
  promise: Promise<V>
  waiting: number
}

/**
 * Work by key that several may wait for: the first one begins it, the last one to leave aborts it. With `remember` what came of it stays, failures
 * too, and later ones get it at once. Remembered work may begin other work for those who wait, and end before that: its signal is aborted when they have
 * all left, even then.
 */
export class SharedWork<K, V> {
  readonly #entries = new Map<K, Entry<V>>()
  readonly #unsettled = new Set<Promise<unknown>>()
  readonly #failed = new Set<K>()
  readonly #remember: boolean

  constructor(options: { remember: boolean } = { remember: false }) {
    this.#remember = options.remember
  }

  /** Throws the signal's reason as soon as it aborts: who has left hears nothing of what becomes of the work. */
  async join(key: K, signal: AbortSignal, start: (signal: AbortSignal) => Promise<V>): Promise<V> {
    signal.throwIfAborted()
    const entry = this.#entries.get(key) ?? this.#begin(key, start)
    if (!this.#unsettled.has(entry.promise)) return await entry.promise
    entry.waiting++
    const left = Promise.withResolvers<never>()
    const leave = (): void => {
      left.reject(signal.reason)
      this.#leave(key, entry)
    }
    signal.addEventListener('abort', leave, { once: true })
    try {
      return await Promise.race([entry.promise, left.promise])
    } finally {
      if (!this.#remember) signal.removeEventListener('abort', leave)
    }
  }

  /** Lets what has failed be tried again. */
  forgetFailures(): void {
    for (const key of this.#failed) this.#entries.delete(key)
    this.#failed.clear()
  }

  /** Whether somebody works on it, or it is remembered. */
  has(key: K): boolean {
    return this.#entries.has(key)
  }

  /** Resolves when nothing goes on any more, aborted work included. */
  async settled(): Promise<void> {
    while (this.#unsettled.size > 0) await Promise.allSettled(this.#unsettled)
  }

  #begin(key: K, start: (signal: AbortSignal) => Promise<V>): Entry<V> {
    const abort = new AbortController()
    const entry: Entry<V> = { abort, promise: start(abort.signal), waiting: 0 }
    this.#entries.set(key, entry)
    this.#unsettled.add(entry.promise)
    entry.promise.then(
      () => this.#end(key, entry),
      (error: unknown) => {
        if (this.#remember && this.#entries.get(key) === entry) this.#failed.add(key)
        this.#end(key, entry)
        // What it has begun itself has no one any more who waits for it.
        abort.abort(error)
      },
    )
    return entry
  }

  #end(key: K, entry: Entry<V>): void {
    this.#unsettled.delete(entry.promise)
    if (!this.#remember && this.#entries.get(key) === entry) this.#entries.delete(key)
  }

  #leave(key: K, entry: Entry<V>): void {
    entry.waiting--
    if (entry.waiting > 0) return
    // Who comes from now on begins anew: this one is on its way out.
    if (this.#unsettled.has(entry.promise) && this.#entries.get(key) === entry) this.#entries.delete(key)
    // On a stack of its own: work that waits for work may be thousands deep.
    queueMicrotask(() => entry.abort.abort(new Error('context canceled')))
  }
}
