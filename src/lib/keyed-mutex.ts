import { AsyncMutex } from './async-mutex.ts'

/** A mutex per key. A key costs memory only while somebody holds or waits for it. */
export class KeyedMutex<K = string> {
  readonly #mutexes = new Map<K, AsyncMutex>()

  /** Keys held now. */
  get size(): number {
    return this.#mutexes.size
  }

  async lock(key: K): Promise<Disposable> {
    let mutex = this.#mutexes.get(key)
    if (mutex === undefined) {
      mutex = new AsyncMutex()
      this.#mutexes.set(key, mutex)
    }
    const lock = await mutex.lock()
    return {
      [Symbol.dispose]: () => {
        lock[Symbol.dispose]()
        if (mutex.pending === 0 && this.#mutexes.get(key) === mutex) this.#mutexes.delete(key)
      },
    }
  }

  /** Runs `work` as the only holder of `key`. */
  async run<T>(key: K, work: () => T | Promise<T>): Promise<T> {
    using _lock = await this.lock(key)
    return await work()
  }
}
