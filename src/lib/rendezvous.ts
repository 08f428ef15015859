/** Things by name, for some of which others wait before they are there. A name that nobody waits for any more takes no space. */
export class Rendezvous<T> {
  readonly #present = new Map<string, T>()
  readonly #awaited = new Map<string, Set<PromiseWithResolvers<T>>>()
  readonly #missing: (name: string) => Error
  readonly #patience: number

  /** `missing`: what is thrown for a name. `patience`: milliseconds. */
  constructor(missing: (name: string) => Error, patience: number) {
    this.#missing = missing
    this.#patience = patience
  }

  has(name: string): boolean {
    return this.#present.has(name)
  }

  set(name: string, value: T): void {
    this.#present.set(name, value)
    for (const { resolve } of this.#awaited.get(name) ?? []) resolve(value)
  }

  delete(name: string): void {
    this.#present.delete(name)
  }

  values(): IterableIterator<T> {
    return this.#present.values()
  }

  /** Throws what `missing` says. */
  get(name: string): T {
    const value = this.#present.get(name)
    if (value === undefined) throw this.#missing(name)
    return value
  }

  /** Throws what `missing` says when it does not come in time, and the signal's reason. */
  async wait(name: string, signal: AbortSignal): Promise<T> {
    const present = this.#present.get(name)
    if (present !== undefined) return present
    signal.throwIfAborted()
    const waiter = Promise.withResolvers<T>()
    const waiting = this.#awaited.get(name) ?? new Set()
    this.#awaited.set(name, waiting.add(waiter))
    const timer = setTimeout(() => waiter.reject(this.#missing(name)), this.#patience)
    const abort = (): void => waiter.reject(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    try {
      return await waiter.promise
    } finally {
      clearTimeout(timer)
      signal.removeEventListener('abort', abort)
      waiting.delete(waiter)
      if (waiting.size === 0) this.#awaited.delete(name)
    }
  }

  /** Whoever waits hears at once that it is not coming. */
  giveUp(): void {
    for (const [name, waiting] of this.#awaited) for (const { reject } of waiting) reject(this.#missing(name))
  }
}
