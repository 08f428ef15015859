import { notFound } from '#errors'
import { withoutLogin } from '#lib'
import { BuildError } from '../build-error.ts'
import type { NewRecord } from '../cache/build-cache.ts'
import type { CacheRecord } from '../cache/cache-record.ts'
import { SCRATCH, type LayerRef, type Ref } from '../graph/ref.ts'
import type { Edge, SourceOp, Vertex } from '../graph/types.ts'
import type { CacheRecordType } from '../cache/types.ts'
import type { SourceResolver, Step } from '../types.ts'
import type { Identity, ImportedResult, Solved, SolverDeps } from './solver.ts'
import type { StepFeed } from './step-feed.ts'

/** Everything that making a vertex true needs, found before. */
export interface VertexWork {
  vertex: Vertex
  /** undefined: a directory of the client, which is known by its content. */
  identity: Identity | undefined
  /** Of an operation that is to be carried out; empty for sources and what is imported. */
  inputs: readonly Solved[]
}

/** Runs, fetches or imports, and keeps what came of it. Everything it makes is held by a lease of its own, then by the record. */
export async function solveVertex(deps: SolverDeps, work: VertexWork, feed: StepFeed, signal: AbortSignal): Promise<Solved> {
  const { vertex, identity } = work
  using lease = deps.content.lease()
  const step = feed.step(vertex, signal, lease)
  if (identity?.imported !== undefined) return await importResult(deps, identity, identity.imported, step)
  if (identity === undefined || identity.pinned !== undefined) {
    const source = identity?.pinned ?? (vertex.op as SourceOp)
    const ref = await (deps.sources[source.kind] as SourceResolver<SourceOp>).fetch(source, step)
    if (identity === undefined || ref.kind === 'directory') return { outputs: [ref] }
    return kept(deps, identity, [ref], { type: typeOf(vertex), description: describe(vertex), parents: [] })
  }
  const refs = inputRefs(vertex, work.inputs)
  // The build whose results these are may leave while others wait.
  for (const ref of refs) if (ref.kind === 'layers' && ref.chain !== undefined) lease.hold(ref.chain)
  try {
    const outputs = await run(deps, vertex, refs, step)
    // It may have been too far on to be stopped. What it has read is held for nobody by now: a directory may have become another one on the way.
    signal.throwIfAborted()
    const parents = work.inputs.flatMap(({ record }) => record?.id ?? [])
    return kept(deps, identity, outputs, { type: typeOf(vertex), description: describe(vertex), parents })
  } catch (error) {
    throw BuildError.from(error, vertex.op.kind === 'exec' ? { step: { vertex, inputs: refs, exitCode: 0 } } : {})
  }
}

async function run({ runners, places }: SolverDeps, { op }: Vertex, refs: readonly Ref[], step: Step): Promise<readonly LayerRef[]> {
  switch (op.kind) {
    case 'exec': {
      using _place = await places.take(step.signal)
      return await runners.exec.run(refs, step)
    }
    case 'file':
    case 'merge':
    case 'diff':
      return await runners[op.kind].run(refs, step)
    case 'image':
    case 'local':
    case 'git':
    case 'http':
    case 'layout':
      throw new Error(`A source is run as a step: ${op.kind}`)
  }
}

async function importResult(deps: SolverDeps, identity: Identity, { from, found }: ImportedResult, step: Step): Promise<Solved> {
  const ref = await from.fetch(found.layers, step)
  return kept(deps, identity, [ref], {
    type: 'regular',
    description: found.description,
    parents: [],
    createdAt: found.createdAt,
  })
}

function kept(
  { cache }: SolverDeps,
  identity: Identity,
  outputs: readonly LayerRef[],
  facts: Pick<NewRecord, 'type' | 'description' | 'parents' | 'createdAt'>,
): Solved {
  const { key, portableKey, aliases } = identity
  // Two builds may have done the same beside each other: with one result for both, what they do next is the same again.
  const record = cache.find(key) ?? cache.keep({ key, portableKey, aliases, outputs: outputs.map(({ chain }) => chain), ...facts })
  return fromRecord(record)
}

/** What a record stands for. */
export function fromRecord(record: CacheRecord): Solved {
  return { outputs: record.outputs.map(({ chain }) => (chain === undefined ? SCRATCH : { kind: 'layers', chain })), record }
}

function inputRefs(vertex: Vertex, inputs: readonly Solved[]): Ref[] {
  return vertex.inputs.map((edge, index) => outputOf(edge, inputs[index]))
}

export function outputOf({ vertex, output }: Edge, solved: Solved | undefined): Ref {
  const ref = solved?.outputs[output]
  if (ref === undefined) throw notFound(`${vertex.meta.name} has no output ${output}`)
  return ref
}

function typeOf({ op }: Vertex): CacheRecordType {
  return op.kind === 'git' ? 'source.git.checkout' : 'regular'
}

/** As BuildKit describes records. */
function describe({ op, meta }: Vertex): string {
  switch (op.kind) {
    case 'image':
      return `pulled from ${op.reference}`
    case 'exec':
      return `mount / from exec ${op.args.join(' ')}`
    case 'git':
      return `git snapshot for ${withoutLogin(op.remote)}#${op.ref}`
    case 'http':
      return `http url ${withoutLogin(op.url)}`
    case 'local':
    case 'layout':
    case 'file':
    case 'merge':
    case 'diff':
      return meta.name
  }
}
