import { unlessAborted } from '#lib'
import type { BuildEvent, Progress } from './progress.ts'

/** Bytes of output that are kept for readers who come late. */
const MAX_OUTPUT = 4 << 20
/** Events of other kinds: far more than a build of thousands of steps has. */
const MAX_EVENTS = 100_000

/** The events of one build, for any number of readers, whenever they come. Of very long ones the oldest output and progress are gone. */
export class Journal implements Progress {
  #events: BuildEvent[] = []
  /** Number of the first event that is kept. */
  #first = 0
  #output = 0
  #maxEvents = MAX_EVENTS
  #ended = false
  #changed = Promise.withResolvers<void>()

  send(event: BuildEvent): void {
    if (this.#ended) return
    this.#events.push(event)
    if (event.kind === 'log') this.#output += event.data.length
    if (this.#output > MAX_OUTPUT || this.#events.length > this.#maxEvents) this.#shorten()
    this.#wake()
  }

  end(): void {
    this.#ended = true
    this.#wake()
  }

  /** From the first event on; ends with the build. Throws the signal's reason. */
  async *read(signal: AbortSignal): AsyncIterable<readonly BuildEvent[]> {
    signal.throwIfAborted()
    for (let next = 0; ;) {
      const { promise } = this.#changed
      const events = this.#events.slice(Math.max(0, next - this.#first))
      next = this.#first + this.#events.length
      if (events.length > 0) yield events
      else if (this.#ended) return
      else await unlessAborted(promise, signal)
    }
  }

  #wake(): void {
    this.#changed.resolve()
    this.#changed = Promise.withResolvers()
  }

  /** The oldest goes, half of what may be kept at once, so that this is rare. States of vertices and warnings stay: without them a display makes no sense. */
  #shorten(): void {
    let excess = this.#events.length - this.#maxEvents / 2
    const kept = this.#events.filter((event) => {
      if (event.kind === 'vertex' || event.kind === 'warning') return true
      if (excess <= 0 && this.#output <= MAX_OUTPUT / 2) return true
      excess--
      if (event.kind === 'log') this.#output -= event.data.length
      return false
    })
    this.#first += this.#events.length - kept.length
    this.#events = kept
    // What stays may be more than that.
    this.#maxEvents = Math.max(MAX_EVENTS, 2 * kept.length)
  }
}
