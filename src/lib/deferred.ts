/** A promise together with the functions that settle it. */
export interface Deferred<T> {
  readonly promise: Promise<T>
  /** Whether `resolve` or `reject` was called; later calls change nothing. */
  readonly settled: boolean
  resolve(value: T): void
  reject(error: unknown): void
}

/** A {@link Deferred}. A rejection nobody waits for yet is not reported as unhandled: the owner may come to it later. */
export function deferred<T = void>(): Deferred<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  promise.catch(() => undefined)
  let settled = false
  return {
    promise,
    get settled() {
      return settled
    },
    resolve(value) {
      settled = true
      resolve(value)
    },
    reject(error) {
      settled = true
      reject(error)
    },
  }
}
