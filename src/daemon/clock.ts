import type { Clock } from '#containers'
import { nowNano } from '#lib'

/** setTimeout's longest delay; longer ones would fire at once. */
const LONGEST_MS = 2 ** 31 - 1

/** The real time. */
export const systemClock: Clock = {
  now: nowNano,
  after(milliseconds, work) {
    const timer = setTimeout(work, Math.min(milliseconds, LONGEST_MS))
    // A health check or restart that is due must not keep a daemon that ends.
    timer.unref()
    return { [Symbol.dispose]: () => clearTimeout(timer) }
  },
}
