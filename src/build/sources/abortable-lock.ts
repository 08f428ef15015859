import type { KeyedMutex } from '#lib'

/** Takes a lock that others may hold for long. Throws the signal's reason when it aborts before. */
export async function lockUnless(locks: KeyedMutex, key: string, signal: AbortSignal): Promise<Disposable> {
  signal.throwIfAborted()
  const taken = locks.lock(key)
  const left = Promise.withResolvers<never>()
  const leave = (): void => left.reject(signal.reason as Error)
  signal.addEventListener('abort', leave, { once: true })
  try {
    return await Promise.race([taken, left.promise])
  } catch (error) {
    void taken.then((unused) => unused[Symbol.dispose]())
    throw error
  } finally {
    signal.removeEventListener('abort', leave)
  }
}
