import { randomUUID } from 'node:crypto'
import type { Edge, vertex, Vertex } from '#build'
import { invalidArgument } from '#errors'
import { create, ops, toBinary, type gateway, type MessageInitShape } from '#grpc'
import { digestOf, type Platform } from '#oci'

/** Scheme of the source that stands for a file system of ours in a client's definitions. */
export const REF_SCHEME = 'gantry-result://'

/** File systems of ended builds for whose return we wait: some 40 KiB each, as a graph goes with it. A build gives one for each platform. */
const MAX_RETIRED = 1000

interface KnownRef {
  readonly edge: Edge
  /** Session of the build that made it: its local directories are there. */
  readonly session: string
}

/**
 * File systems that clients got, by opaque ids. A client may look into them, hand one back as its result, or put it into another definition, also of another
 * build: a context `target:` of bake is made so. What they consist of stays here.
 */
export class ResultRefs {
  readonly #known = new Map<string, KnownRef>()
  /** Ids of builds that have ended; the oldest come first. */
  readonly #retired = new Set<string>()
  readonly #makeVertex: typeof vertex

  constructor(makeVertex: typeof vertex) {
    this.#makeVertex = makeVertex
  }

  /** Kept at least until it is retired. undefined: an empty file system, which has no id. */
  keep(edge: Edge | undefined, session: string, platform: Platform): MessageInitShape<typeof gateway.RefSchema> {
    if (edge === undefined) return { id: '' }
    const id = randomUUID()
    this.#known.set(id, { edge, session })
    return { id, def: definitionOf(id, platform) }
  }

  /** Their build has ended: from now on the oldest go when there are too many. */
  retire(ids: Iterable<string>): void {
    for (const id of ids) if (this.#known.has(id)) this.#retired.add(id)
    for (const oldest of this.#retired) {
      if (this.#retired.size <= MAX_RETIRED) break
      this.#retired.delete(oldest)
      this.#known.delete(oldest)
    }
  }

  /** Throws INVALID_ARGUMENT for what was not given out here. */
  find(id: string): Edge | undefined {
    return id === '' ? undefined : this.#get(id).edge
  }

  /** For a definition of `session`. */
  resolve(identifier: string, session: string): Edge | undefined {
    const { edge, session: origin } = this.#get(identifier.slice(REF_SCHEME.length))
    return origin === session ? edge : this.#withSession(edge, origin)
  }

  #get(id: string): KnownRef {
    const known = this.#known.get(id)
    if (known === undefined) throw invalidArgument(`unknown reference ${id}`)
    return known
  }

  /** The same, with directories named as those of the session they come from. */
  #withSession({ vertex: root, output }: Edge, session: string): Edge {
    const changed = new Map<Vertex, Vertex>()
    // Inputs before those who read them, without recursion.
    const open = [root]
    for (let next = open.at(-1); next !== undefined; next = open.at(-1)) {
      const missing = next.inputs.map((edge) => edge.vertex).filter((input) => !changed.has(input))
      if (missing.length > 0 && !changed.has(next)) {
        open.push(...missing)
        continue
      }
      open.pop()
      if (!changed.has(next)) changed.set(next, this.#changedVertex(next, changed, session))
    }
    return { vertex: changed.get(root) ?? root, output }
  }

  #changedVertex(vertex: Vertex, changed: ReadonlyMap<Vertex, Vertex>, session: string): Vertex {
    const { op, meta } = vertex
    const isOwn = (op.kind === 'local' || op.kind === 'layout') && op.session === undefined
    const inputs = vertex.inputs.map((edge) => ({ ...edge, vertex: changed.get(edge.vertex) ?? edge.vertex }))
    if (!isOwn && inputs.every((edge, index) => edge.vertex === vertex.inputs[index]?.vertex)) return vertex
    return this.#makeVertex(isOwn ? { ...op, session } : op, inputs, meta)
  }
}

/** Clients take definitions apart and put them together again: the operation must have metadata and a platform. */
function definitionOf(id: string, platform: Platform): MessageInitShape<typeof ops.DefinitionSchema> {
  const { os, architecture, variant = '' } = platform
  const source = toBinary(
    ops.OpSchema,
    create(ops.OpSchema, {
      op: { case: 'source', value: { identifier: REF_SCHEME + id } },
      platform: { os, architecture, variant },
    }),
  )
  const digest = digestOf(source)
  const terminal = toBinary(ops.OpSchema, create(ops.OpSchema, { inputs: [{ digest, index: 0n }] }))
  return { def: [source, terminal], metadata: { [digest]: {}, [digestOf(terminal)]: {} } }
}
