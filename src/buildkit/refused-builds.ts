import { noSuchJob } from './client-build.ts'

/** Builds that are remembered; the calls about one come within a moment. */
const MAX_REMEMBERED = 100

/** Builds that were refused before they began. The client asks for their progress by a call of its own, before or after, and would wait for the first event. */
export class RefusedBuilds {
  readonly #refused = new Set<string>()
  readonly #watching = new Map<string, Set<AbortController>>()

  add(id: string): void {
    const [oldest] = this.#refused
    if (this.#refused.size >= MAX_REMEMBERED && oldest !== undefined) this.#refused.delete(oldest)
    this.#refused.add(id)
    for (const controller of this.#watching.get(id) ?? []) controller.abort(noSuchJob(id))
  }

  /** A build of this name has begun after all. */
  delete(id: string): void {
    this.#refused.delete(id)
  }

  /** `signal` aborts when the build has been refused, or is. */
  watch(id: string): Disposable & { readonly signal: AbortSignal } {
    const controller = new AbortController()
    if (this.#refused.has(id)) controller.abort(noSuchJob(id))
    const watching = this.#watching.get(id) ?? new Set()
    this.#watching.set(id, watching.add(controller))
    return {
      signal: controller.signal,
      [Symbol.dispose]: () => {
        watching.delete(controller)
        if (watching.size === 0 && this.#watching.get(id) === watching) this.#watching.delete(id)
      },
    }
  }
}
