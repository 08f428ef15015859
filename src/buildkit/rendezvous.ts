import { notFound } from '#errors'

/** Things by name, for some of which others wait before they are there. */
export class Rendezvous<T> {
  readonly #present = new Map<string, T>()
  readonly #awaited = new Map<string, Set<(value: T) => void>>()
  readonly #missing: (name: string) => string
  readonly #patience: number

  /** `missing`: what is said of a name. `patience`: milliseconds. */
  constructor(missing: (name: string) => string, patience: number) {
    this.#missing = missing
    this.#patience = patience
  }

  has(name: string): boolean {
    return this.#present.has(name)
  }

  set(name: string, value: T): void {
    this.#present.set(name, value)
    for (const take of this.#awaited.get(name) ?? []) take(value)
  }

  delete(name: string): void {
    this.#present.delete(name)
  }

  values(): IterableIterator<T> {
    return this.#present.values()
  }

  /** Throws NOT_FOUND. */
  get(name: string): T {
    const value = this.#present.get(name)
    if (value === undefined) throw notFound(this.#missing(name))
    return value
  }

  /** Throws NOT_FOUND when it does not come in time, and the signal's reason. */
  async wait(name: string, signal: AbortSignal): Promise<T> {
    const present = this.#present.get(name)
    if (present !== undefined) return present
    signal.throwIfAborted()
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    const waiting = this.#awaited.get(name) ?? new Set()
    this.#awaited.set(name, waiting.add(resolve))
    const timer = setTimeout(() => reject(notFound(this.#missing(name))), this.#patience)
    const abort = (): void => reject(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    try {
      return await promise
    } finally {
      clearTimeout(timer)
      signal.removeEventListener('abort', abort)
      waiting.delete(resolve)
      if (waiting.size === 0) this.#awaited.delete(name)
    }
  }
}
