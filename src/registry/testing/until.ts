import { setTimeout as sleep } from 'node:timers/promises'

/** Waits until `condition` holds, for what comes about in its own time. Throws after half a minute. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 6000; attempt++) {
    if (await condition()) return
    await sleep(5)
  }
  throw new Error('it did not happen within half a minute')
}
