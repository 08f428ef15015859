import type { Digest } from '#oci'
import { SharedWork } from '#lib'
import { StepFeed, type StepListener } from './step-feed.ts'

/** The steps that run now, of all builds: one for each key. */
export class RunningSteps<V> {
  readonly #work = new SharedWork<Digest | symbol, V>()
  readonly #feeds = new Map<Digest | symbol, StepFeed>()
  readonly #now: () => number
  readonly #abandoned: () => void

  /** `abandoned`: a step has ended that nobody waits for any more. No lease holds what it has made. */
  constructor(deps: { now: () => number; abandoned: () => void }) {
    this.#now = deps.now
    this.#abandoned = deps.abandoned
  }

  /** Joins the step of this key, or starts it. It is aborted when nobody waits any more. */
  async run(
    key: Digest | symbol,
    listener: StepListener,
    signal: AbortSignal,
    work: (feed: StepFeed, signal: AbortSignal) => Promise<V>,
  ): Promise<V> {
    signal.throwIfAborted()
    // One that nobody waits for any more has a feed of its own until it is gone.
    const feed = (this.#work.has(key) ? this.#feeds.get(key) : undefined) ?? new StepFeed(this.#now)
    this.#feeds.set(key, feed)
    using _listening = feed.add(listener)
    try {
      return await this.#work.join(key, signal, async (own) => {
        try {
          return await work(feed, own)
        } finally {
          if (own.aborted) this.#abandoned()
        }
      })
    } finally {
      if (!this.#work.has(key) && this.#feeds.get(key) === feed) this.#feeds.delete(key)
    }
  }

  /** Resolves when none runs, those that were aborted included. */
  settled(): Promise<void> {
    return this.#work.settled()
  }
}
