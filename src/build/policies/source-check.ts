import { codeOf, EngineError } from '#errors'
import { fullString, parseReference, withDefaultTag } from '#oci'
import { addressOf } from '../graph/source-address.ts'
import type { HttpSource, SourceOp, Vertex } from '../graph/types.ts'
import { isSource } from '../solver/solver.ts'
import type { ImageRequest } from '../types.ts'
import type { SourcePolicy } from './types.ts'

/** What a build's policy makes of its sources. Each vertex is judged once; it keeps its id, its name and its place, whatever it becomes. */
export class SourceCheck {
  readonly #policy: SourcePolicy | undefined
  readonly #judged = new Map<Vertex['id'], Vertex>()

  constructor(policy: SourcePolicy | undefined) {
    this.#policy = policy
  }

  /** Before anything of a graph is done. Throws FORBIDDEN with BuildKit's text for a source that is denied. */
  check(vertices: readonly Vertex[]): void {
    if (this.#policy !== undefined) for (const vertex of vertices) this.allowed(vertex)
  }

  /** The vertex with the source that is to be taken. */
  allowed(vertex: Vertex): Vertex {
    if (this.#policy === undefined || !isSource(vertex)) return vertex
    const known = this.#judged.get(vertex.id)
    if (known !== undefined) return known
    const op = judged(this.#policy, vertex.op as SourceOp, 'error evaluating the source policy')
    const allowed = op === undefined ? vertex : { ...vertex, op }
    this.#judged.set(vertex.id, allowed)
    return allowed
  }

  /** Of an image whose config is asked for, which is before there is a vertex of it. */
  allowedImage(request: ImageRequest): ImageRequest {
    if (this.#policy === undefined) return request
    const { layout: store, session, reference, platform, resolveMode } = request
    const source: SourceOp =
      store === undefined
        ? { kind: 'image', reference: fullName(reference), platform, resolveMode }
        : { kind: 'layout', reference, platform, store, ...(session !== undefined && { session }) }
    const op = judged(this.#policy, source, 'could not resolve image due to policy')
    if (op === undefined) return request
    const converted = { reference, platform, resolveMode, name: request.name }
    if (op.kind === 'image') return { ...converted, reference: op.reference, resolveMode: op.resolveMode }
    if (op.kind !== 'layout')
      throw new EngineError('FORBIDDEN', `could not resolve image due to policy: a source of type ${op.kind} is no image`)
    return { ...converted, reference: op.reference, layout: op.store, ...(op.session !== undefined && { session: op.session }) }
  }
}

/** Rules are about full names: `alpine` must not get past one about `docker.io/library/alpine:*`. */
function fullName(reference: string): string {
  return fullString(withDefaultTag(parseReference(reference)))
}

/** undefined: it stays as it is. A directory of the client is read by what it is in the graph, so nothing else may become one, nor it something else. */
function judged(policy: SourcePolicy, source: SourceOp, problem: string): SourceOp | undefined {
  try {
    const op = policy(addressOf(source), 'platform' in source ? source.platform : undefined)
    if (op !== undefined && (op.kind === 'local') !== (source.kind === 'local'))
      throw new EngineError('FORBIDDEN', `a source of type ${source.kind} cannot become one of type ${op.kind}`)
    return op?.kind === 'http' && source.kind === 'http' ? withLoginOf(source, op) : op
  } catch (error) {
    throw new EngineError(codeOf(error), `${problem}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
}

/** Rules do not see the login of an address: it stays where the server does. */
function withLoginOf(source: HttpSource, op: HttpSource): HttpSource {
  const [from, to] = [URL.parse(source.url), URL.parse(op.url)]
  if (from === null || to === null || from.origin !== to.origin || to.username !== '') return op
  to.username = from.username
  to.password = from.password
  return { ...op, url: to.href }
}
