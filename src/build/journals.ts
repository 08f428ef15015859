import { notFound } from '#errors'
import { Journal } from './journal.ts'
import type { BuildEvent } from './progress.ts'

/** Ended builds whose events can still be read: clients that ask late ask soon after. Each may hold megabytes of output. */
const KEPT = 8
/** Milliseconds that a reader waits for a build to begin: clients ask for events and start the build at the same time. */
const PATIENCE = 6000

/** The events of builds by id: of those that run, and of the last ones that have ended. */
export class Journals {
  readonly #journals = new Map<string, Journal>()
  readonly #ended: string[] = []
  /** Readers who wait for a build to begin. */
  readonly #waiting = new Map<string, Set<PromiseWithResolvers<Journal>>>()

  /** An id that was used before begins anew. */
  begin(id: string): Journal {
    const journal = new Journal()
    this.#journals.set(id, journal)
    const known = this.#ended.indexOf(id)
    if (known >= 0) this.#ended.splice(known, 1)
    for (const reader of this.#waiting.get(id) ?? []) reader.resolve(journal)
    return journal
  }

  ended(id: string): void {
    this.#ended.push(id)
    for (const oldest of this.#ended.splice(0, Math.max(0, this.#ended.length - KEPT))) this.#journals.delete(oldest)
  }

  /** Throws NOT_FOUND when no such build begins in time. */
  async *read(id: string, signal: AbortSignal): AsyncIterable<readonly BuildEvent[]> {
    signal.throwIfAborted()
    yield* (this.#journals.get(id) ?? (await this.#wait(id, signal))).read(signal)
  }

  /** Nobody needs to wait any more. */
  close(): void {
    for (const [id, readers] of this.#waiting) for (const reader of readers) reader.reject(notFound(`no such build: ${id}`))
  }

  async #wait(id: string, signal: AbortSignal): Promise<Journal> {
    const reader = Promise.withResolvers<Journal>()
    const readers = this.#waiting.get(id) ?? new Set()
    this.#waiting.set(id, readers.add(reader))
    const timer = setTimeout(() => reader.reject(notFound(`no such build: ${id}`)), PATIENCE)
    const abort = (): void => reader.reject(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    try {
      return await reader.promise
    } finally {
      clearTimeout(timer)
      signal.removeEventListener('abort', abort)
      readers.delete(reader)
      if (readers.size === 0 && this.#waiting.get(id) === readers) this.#waiting.delete(id)
    }
  }
}
