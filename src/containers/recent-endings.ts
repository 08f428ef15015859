import type { Clock } from './context.ts'
import type { WaitResult } from './types.ts'

/** Milliseconds. */
const KEPT_FOR = 10_000
/** So many that a client which starts hundreds at once finds its own. */
const MOST = 1024

/**
 * How containers ended that `--rm` took away a moment ago. Clients that start first and wait then (dockerode's `run`) count on Docker's slowness: there such
 * a container is still found. They ask by the full ID, and for it the answer of a wait stays true.
 */
export class RecentEndings {
  readonly #clock: Pick<Clock, 'now'>
  /** Oldest first. */
  readonly #endings = new Map<string, { result: WaitResult; until: bigint }>()

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock
  }

  add(id: string, result: WaitResult): void {
    const now = this.#clock.now()
    for (const [old, { until }] of this.#endings) {
      if (until > now && this.#endings.size < MOST) break
      this.#endings.delete(old)
    }
    this.#endings.set(id, { result, until: now + BigInt(KEPT_FOR) * 1_000_000n })
  }

  find(id: string): WaitResult | undefined {
    const ending = this.#endings.get(id)
    return ending !== undefined && ending.until > this.#clock.now() ? ending.result : undefined
  }
}
