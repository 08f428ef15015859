import { unlessAborted } from '#lib'

/** Work that many want at the same time and that is done once. */
export interface SingleFlight {
  /** Joins the work that runs under `key`, or begins it. Rejects with the signal's reason when this caller gives up; the work goes on. */
  run(key: string, work: () => Promise<void>, signal: AbortSignal): Promise<void>
  /** Resolves when nothing runs. */
  settled(): Promise<void>
}

export function createSingleFlight(): SingleFlight {
  const running = new Map<string, Promise<void>>()
  return {
    async run(key, work, signal) {
      signal.throwIfAborted()
      let flight = running.get(key)
      if (flight === undefined) {
        flight = work().finally(() => running.delete(key))
        flight.catch(() => {}) // everybody may have left
        running.set(key, flight)
      }
      await unlessAborted(flight, signal)
    },
    async settled() {
      await Promise.allSettled(running.values())
    },
  }
}
