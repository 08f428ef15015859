import type { Vertex } from '../graph/types.ts'
import type { Solved } from './solver.ts'

/**
 * Inputs of a vertex that are solved while it is still being found out what the vertex is. Once it is sure that an input is needed, waiting would make
 * independent stages run one after the other.
 */
export class EarlyInputs {
  readonly #vertex: Vertex
  readonly #solve: (input: Vertex) => Promise<Solved>
  readonly #failed = Promise.withResolvers<never>()
  readonly #begun = new Set<number>()
  readonly #when: Promise<void> | undefined
  #decided = false

  /** `when`: nothing is begun before; undefined: at once. */
  constructor(vertex: Vertex, solve: (input: Vertex) => Promise<Solved>, when: Promise<void> | undefined) {
    this.#vertex = vertex
    this.#solve = solve
    this.#when = when
    this.#failed.promise.catch(() => {})
  }

  begin(index: number): void {
    const input = this.#vertex.inputs[index]
    if (input === undefined || this.#begun.has(index)) return
    this.#begun.add(index)
    const start = (): void => {
      if (!this.#decided) this.#solve(input.vertex).catch((error: unknown) => this.#failed.reject(error))
    }
    if (this.#when === undefined) start()
    else void this.#when.then(start)
  }

  beginAll(): void {
    for (const index of this.#vertex.inputs.keys()) this.begin(index)
  }

  /** What `work` gives; the failure of an input that was begun comes first. */
  async unlessOneFails<T>(work: Promise<T>): Promise<T> {
    try {
      return await Promise.race([work, this.#failed.promise])
    } finally {
      this.#decided = true
    }
  }
}
