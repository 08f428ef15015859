import type { Clock } from '../context.ts'

interface Timer {
  at: number
  work: () => void
}

/** Time that stands still until {@link FakeClock.advance}. */
export class FakeClock implements Clock {
  readonly #timers = new Set<Timer>()
  /** Milliseconds since the epoch. */
  time = 1_700_000_000_000

  now(): bigint {
    return BigInt(this.time) * 1_000_000n
  }

  after(milliseconds: number, work: () => void): Disposable {
    const timer = { at: this.time + milliseconds, work }
    this.#timers.add(timer)
    return { [Symbol.dispose]: () => this.#timers.delete(timer) }
  }

  /** Milliseconds until each timer that is set, in order. */
  get pending(): number[] {
    return [...this.#timers].map(({ at }) => at - this.time).sort((a, b) => a - b)
  }

  /** Moves on and runs what has become due; then lets promises settle. */
  async advance(milliseconds: number): Promise<void> {
    this.time += milliseconds
    for (const timer of [...this.#timers].sort((a, b) => a.at - b.at)) {
      if (timer.at > this.time || !this.#timers.delete(timer)) continue
      timer.work()
    }
    await settle()
  }
}

/** Lets everything run that waits only for other promises. */
export async function settle(): Promise<void> {
  for (let round = 0; round < 20; round++) await new Promise((resolve) => setImmediate(resolve))
}

/** Waits for what goes through the file system; not longer than two seconds. */
export async function until(holds: () => boolean): Promise<void> {
  const deadline = Date.now() + 2_000
  while (!holds() && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 1))
}
