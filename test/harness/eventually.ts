import { setTimeout as sleep } from 'node:timers/promises'

/** Milliseconds. Far more than anything takes on a calm machine, and less than a test may take in all. */
const PATIENCE = 60_000
const LONGEST_PAUSE = 200

/**
 * Asks until `check` no longer throws, and gives what it gave; after a minute it throws what `check` threw last. For all that another process does in its own
 * time: a test waits for the event that it means, never for a time in which that ought to have happened.
 */
export async function eventually<T>(check: () => T | Promise<T>): Promise<T> {
  const end = performance.now() + PATIENCE
  for (let pause = 5; ; pause = Math.min(pause * 1.5, LONGEST_PAUSE)) {
    try {
      return await check()
    } catch (error) {
      if (performance.now() > end) throw error
    }
    await sleep(pause)
  }
}
