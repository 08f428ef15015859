/** Values that are good for a while. The oldest go first when there are more than `capacity`. */
export class ExpiringCache<V> {
  readonly #entries = new Map<string, { value: V; until: number }>()
  readonly #capacity: number
  readonly #now: () => number

  /** `now` in milliseconds. */
  constructor(capacity: number, now: () => number = Date.now) {
    this.#capacity = capacity
    this.#now = now
  }

  get(key: string): V | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    if (entry.until > this.#now()) return entry.value
    this.#entries.delete(key)
    return undefined
  }

  set(key: string, value: V, ttlMs: number): void {
    this.#entries.delete(key)
    this.#entries.set(key, { value, until: this.#now() + ttlMs })
    if (this.#entries.size <= this.#capacity) return
    for (const oldest of this.#entries.keys()) {
      this.#entries.delete(oldest)
      return
    }
  }
}
