import { EngineError } from '#errors'
import type { EngineEvent } from './types.ts'

/** Unread events after which a reader is dropped. */
const MAX_BEHIND = 4096

/** Longest delay a timer takes; longer ones fire at once (Node's setTimeout). */
const MAX_TIMER_MS = 2 ** 31 - 1

interface SubscriptionOptions {
  past: EngineEvent[]
  until: bigint | undefined
  accepts: (event: EngineEvent) => boolean
  /** Nanoseconds from now to `until`. */
  remaining: bigint | undefined
  signal: AbortSignal | undefined
  /** Called once, when nothing more will be taken. */
  onClose: () => void
}

/**
 * One reader's queue. It fills from the moment it is made, so that nothing is missed between the request and the first read; it is closed by
 * `until`, by the signal (both end the iteration after the queued events), by the reader leaving its loop, or by falling behind (the iteration
 * then throws RESOURCE_EXHAUSTED: a reader that gets a gap without notice would act on a wrong picture).
 */
export class EventSubscription implements AsyncIterableIterator<EngineEvent> {
  readonly #queue: EngineEvent[] = []
  readonly #options: SubscriptionOptions
  #closed = false
  #failure: EngineError | undefined
  #wake: (() => void) | undefined
  #timer: NodeJS.Timeout | undefined
  readonly #onAbort = (): void => this.#close()

  constructor(options: SubscriptionOptions) {
    this.#options = options
    for (const event of options.past) this.offer(event)
    const { signal, remaining } = options
    if (signal?.aborted === true || (remaining !== undefined && remaining <= 0n)) this.#closed = true
    else {
      signal?.addEventListener('abort', this.#onAbort, { once: true })
      if (remaining !== undefined) this.#closeAfter(Number(remaining) / 1e6)
    }
  }

  get closed(): boolean {
    return this.#closed
  }

  /** Queues the event when it is wanted. */
  offer(event: EngineEvent): void {
    const { until, accepts } = this.#options
    if (this.#closed || (until !== undefined && event.timeNano > until) || !accepts(event)) return
    if (this.#queue.length >= MAX_BEHIND) {
      this.#queue.length = 0
      this.#failure = new EngineError('RESOURCE_EXHAUSTED', `event stream dropped: reader is more than ${MAX_BEHIND} events behind`)
      this.#close()
      return
    }
    this.#queue.push(event)
    this.#wake?.()
  }

  async next(): Promise<IteratorResult<EngineEvent, undefined>> {
    for (;;) {
      const event = this.#queue.shift()
      if (event !== undefined) return { done: false, value: event }
      if (this.#failure !== undefined) {
        const failure = this.#failure
        this.#failure = undefined
        throw failure
      }
      if (this.#closed) return { done: true, value: undefined }
      await new Promise<void>((resolve) => (this.#wake = resolve))
      this.#wake = undefined
    }
  }

  return(): Promise<IteratorResult<EngineEvent, undefined>> {
    this.#queue.length = 0
    this.#close()
    return Promise.resolve({ done: true, value: undefined })
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  #closeAfter(milliseconds: number): void {
    this.#timer = setTimeout(
      () => {
        if (milliseconds > MAX_TIMER_MS) this.#closeAfter(milliseconds - MAX_TIMER_MS)
        else this.#close()
      },
      Math.min(Math.ceil(milliseconds), MAX_TIMER_MS),
    )
    // A reader waiting for a far `until` must not keep the process from ending.
    this.#timer.unref()
  }

  #close(): void {
    if (this.#closed) return
    this.#closed = true
    clearTimeout(this.#timer)
    this.#options.signal?.removeEventListener('abort', this.#onAbort)
    this.#options.onClose()
    this.#wake?.()
  }
}
