import { notFound } from '#errors'
import { Rendezvous } from '#lib'
import { Journal } from './journal.ts'
import type { BuildEvent } from './progress.ts'

/** Ended builds whose events can still be read: clients that ask late ask soon after. Each may hold megabytes of output. */
const KEPT = 8
/** Milliseconds that a reader waits for a build to begin: clients ask for events and start the build at the same time. */
const PATIENCE = 6000

/** The events of builds by id: of those that run, and of the last ones that have ended. */
export class Journals {
  readonly #journals = new Rendezvous<Journal>((id) => notFound(`no such build: ${id}`), PATIENCE)
  readonly #ended: string[] = []

  /** An id that was used before begins anew. */
  begin(id: string): Journal {
    const journal = new Journal()
    this.#journals.set(id, journal)
    const known = this.#ended.indexOf(id)
    if (known >= 0) this.#ended.splice(known, 1)
    return journal
  }

  ended(id: string): void {
    this.#ended.push(id)
    for (const oldest of this.#ended.splice(0, Math.max(0, this.#ended.length - KEPT))) this.#journals.delete(oldest)
  }

  /** Throws NOT_FOUND when no such build begins in time. */
  async *read(id: string, signal: AbortSignal): AsyncIterable<readonly BuildEvent[]> {
    yield* (await this.#journals.wait(id, signal)).read(signal)
  }

  /** Nobody needs to wait any more. */
  close(): void {
    this.#journals.giveUp()
  }
}
