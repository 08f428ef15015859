/** Runs `work` once for all who ask for `key` while it goes on. It is aborted when the last of them has given up; one that gives up throws its signal's reason. */
export type SharedWork<T> = (key: string, caller: Caller, work: (options: WorkOptions) => Promise<T>) => Promise<T>

interface Caller {
  signal?: AbortSignal | undefined
  progress?: ((amount: number) => void) | undefined
}

export interface WorkOptions {
  signal: AbortSignal
  progress: (amount: number) => void
}

interface Running<T> {
  result: Promise<T>
  callers: Set<Caller>
  abort: AbortController
}

export function createSharedWork<T>(): SharedWork<T> {
  const running = new Map<string, Running<T>>()

  function begin(key: string, work: (options: WorkOptions) => Promise<T>): Running<T> {
    const callers = new Set<Caller>()
    const abort = new AbortController()
    const progress = (amount: number): void => callers.forEach((caller) => caller.progress?.(amount))
    const result = work({ signal: abort.signal, progress }).finally(() => forget())
    const begun = { result, callers, abort }
    const forget = (): void => void (running.get(key) === begun && running.delete(key))
    result.catch(() => {}) // told to those who still wait
    running.set(key, begun)
    return begun
  }

  return async (key, caller, work) => {
    caller.signal?.throwIfAborted()
    const shared = running.get(key) ?? begin(key, work)
    shared.callers.add(caller)
    const gaveUp = Promise.withResolvers<never>()
    const onAbort = (): void => gaveUp.reject(caller.signal?.reason)
    caller.signal?.addEventListener('abort', onAbort, { once: true })
    try {
      return await Promise.race([shared.result, gaveUp.promise])
    } finally {
      caller.signal?.removeEventListener('abort', onAbort)
      shared.callers.delete(caller)
      if (shared.callers.size === 0) {
        // Whoever asks from now on begins anew.
        if (running.get(key) === shared) running.delete(key)
        shared.abort.abort()
      }
    }
  }
}
