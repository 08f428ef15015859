import type { Digest } from '#oci'
import { BuildError } from '../build-error.ts'
import type { Vertex } from '../graph/types.ts'
import type { Progress, VertexEvent } from '../progress.ts'

/** A vertex that is shown as being worked on. Ended once; later calls change nothing. */
export interface ShownWork {
  done(): void
  /** What it gives was there. */
  cached(): void
  failed(error: unknown): void
}

/** Tells of the vertices of one build: each is sent when it becomes known, and again, whole, when it starts and ends. */
export class VertexDisplay {
  readonly #progress: Progress
  readonly #now: () => number
  /** Whether it was ever shown as started. */
  readonly #touched = new Map<Digest, boolean>()

  constructor(progress: Progress, now: () => number) {
    this.#progress = progress
    this.#now = now
  }

  /** Inputs before what uses them; those known are not sent again. */
  announce(vertices: readonly Vertex[]): void {
    for (const vertex of vertices) {
      if (this.#touched.has(vertex.id)) continue
      this.#touched.set(vertex.id, false)
      this.#send(vertex, {})
    }
  }

  /** A vertex may be worked on more than once: looked at, later fetched. */
  start(vertex: Vertex): ShownWork {
    this.#touched.set(vertex.id, true)
    const started = this.#now()
    let ended = false
    const end = (facts: { cached?: boolean; error?: string }): void => {
      if (ended) return
      ended = true
      this.#send(vertex, { started, completed: this.#now(), ...facts })
    }
    this.#send(vertex, { started })
    return {
      done: () => end({}),
      cached: () => end({ cached: true }),
      failed: (error) => end({ error: BuildError.from(error, {}).message }),
    }
  }

  /** Its result was in the cache. */
  cached(vertex: Vertex): void {
    this.#touched.set(vertex.id, true)
    const now = this.#now()
    this.#send(vertex, { started: now, completed: now, cached: true })
  }

  /** The same for those whose results nobody needed, because of a result above them. */
  cachedUnlessShown(vertices: readonly Vertex[]): void {
    for (const vertex of vertices) if (this.#touched.get(vertex.id) !== true) this.cached(vertex)
  }

  #send({ id, inputs, meta }: Vertex, state: Partial<Pick<VertexEvent, 'cached' | 'started' | 'completed' | 'error'>>): void {
    this.#progress.send({
      kind: 'vertex',
      id,
      inputs: [...new Set(inputs.map(({ vertex }) => vertex.id))],
      name: meta.name,
      cached: false,
      ...state,
      ...(meta.progressGroup === undefined ? {} : { progressGroup: meta.progressGroup }),
    })
  }
}
