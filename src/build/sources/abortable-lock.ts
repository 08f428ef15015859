import { unlessAborted } from '#lib'
import type { KeyedMutex } from '#lib'

/** Takes a lock that others may hold for long. Throws the signal's reason when it aborts before. */
export async function lockUnless(locks: KeyedMutex, key: string, signal: AbortSignal): Promise<Disposable> {
  signal.throwIfAborted()
  const taken = locks.lock(key)
  try {
    return await unlessAborted(taken, signal)
  } catch (error) {
    void taken.then((unused) => unused[Symbol.dispose]())
    throw error
  }
}
