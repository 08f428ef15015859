import { randomUUID } from 'node:crypto'
import { codeOf } from '#errors'
import type { Digest } from '#oci'
import { BuildError } from '../build-error.ts'
import type { KeyPair } from '../cache/cache-record.ts'
import type { Edge, Op, SourceOp, Vertex } from '../graph/types.ts'
import type { ContentSelection, SourceResolver, Step } from '../types.ts'
import { freshKey, sourceKey, stepKey, type InputKey } from './cache-key.ts'
import { contentInputs, EVERYTHING } from './content-inputs.ts'
import { EarlyInputs } from './early-inputs.ts'
import { outputOf } from './solve-vertex.ts'
import type { BuildScope, Identity, ImportedResult, Solved, SolverDeps } from './solver.ts'

/** How a vertex's identity gets at those of its inputs, and at results where content counts. */
export interface Neighbours {
  identityOf(vertex: Vertex, signal: AbortSignal): Promise<Identity>
  resultOf(vertex: Vertex, signal: AbortSignal): Promise<Solved>
  /** What a resolver is given. */
  step(vertex: Vertex, signal: AbortSignal): Step
  /** Resolves when the build has to run a step. */
  readonly missed: Promise<void>
}

/** Of all inputs; undefined for what is known by content only. */
type InputPairs = readonly ({ key: InputKey; portableKey: InputKey } | undefined)[]

/**
 * Says what `vertex` is. Cheapest first: by its definition nothing needs to be solved; only when that is unknown are the inputs solved that count by content.
 * Throws what a source answers, or BuildError `failed to compute cache key: …`.
 */
export async function identify(
  deps: SolverDeps,
  scope: BuildScope,
  near: Neighbours,
  vertex: Vertex,
  signal: AbortSignal,
): Promise<Identity> {
  const { op } = vertex
  if (op.kind === 'local') return await identifyLocal(deps, near, vertex, signal)
  if (op.kind === 'image' || op.kind === 'git' || op.kind === 'http' || op.kind === 'layout')
    return await identifySource(deps, scope, near, vertex, op, signal)
  // An imported cache may have a result and not what it was made of (`mode=min`): nothing is sure before something was missed.
  const early = new EarlyInputs(vertex, (input) => near.resultOf(input, signal), scope.hasImports ? near.missed : undefined)
  return await early.unlessOneFails(identifyStep(deps, scope, near, vertex, early, signal))
}

async function identifyStep(
  deps: SolverDeps,
  scope: BuildScope,
  near: Neighbours,
  vertex: Vertex,
  early: EarlyInputs,
  signal: AbortSignal,
): Promise<Identity> {
  const { op, inputs, meta } = vertex
  const content = contentInputs(vertex)
  if (meta.ignoreCache === true) early.beginAll()
  const wholes = await Promise.all(
    inputs.map(async (edge, index) => {
      if (content.has(index) && edge.vertex.op.kind === 'local') {
        early.begin(index)
        return undefined
      }
      const identity = await near.identityOf(edge.vertex, signal)
      if (identity.record === undefined && identity.imported === undefined) {
        // Nothing can have been made of what is not there: it is sure to be needed, for the content key or for the step itself.
        if (content.has(index)) early.begin(index)
        else early.beginAll()
      }
      return asInput(identity, edge)
    }),
  )
  const definition = pairOf(op, wholes)
  if (content.size === 0) return definition === undefined ? unknownInput(vertex) : await asRecorded(deps, scope, vertex, definition, [])
  const aliases = definition === undefined ? [] : [definition]
  if (definition !== undefined && meta.ignoreCache !== true) {
    const known = await lookUp(deps, scope, definition)
    if (known !== undefined) return { ...known, aliases }
  }
  const contents = await contentsOf(deps, near, vertex, content, signal)
  const pairs = wholes.map((whole, index) => {
    const digests = contents.get(index)
    return digests === undefined ? whole : { key: { content: digests }, portableKey: { content: digests } }
  })
  return await asRecorded(deps, scope, vertex, pairOf(op, pairs) ?? unknownInput(vertex), aliases)
}

/** Solves the inputs that count by content: digests of what is read, by index of the input. */
async function contentsOf(
  deps: SolverDeps,
  near: Neighbours,
  vertex: Vertex,
  content: ReadonlyMap<number, readonly ContentSelection[]>,
  signal: AbortSignal,
): Promise<Map<number, readonly Digest[]>> {
  const digestAll = async (index: number, selections: readonly ContentSelection[]): Promise<[number, readonly Digest[]]> => {
    const edge = vertex.inputs[index] ?? unknownInput(vertex)
    const ref = outputOf(edge, await near.resultOf(edge.vertex, signal))
    const digests = selections.map((selection) =>
      deps.digests.digest(ref, selection, signal).catch((error: unknown) => keyFailure(vertex, error)),
    )
    return [index, await Promise.all(digests)]
  }
  return new Map(await Promise.all([...content].map(([index, selections]) => digestAll(index, selections))))
}

/** A directory of the client is what is in it. */
async function identifyLocal({ digests }: SolverDeps, near: Neighbours, vertex: Vertex, signal: AbortSignal): Promise<Identity> {
  const [ref] = (await near.resultOf(vertex, signal)).outputs
  const key = sourceKey('local', ref === undefined ? '' : await digests.digest(ref, EVERYTHING, signal))
  return { key, portableKey: key, aliases: [] }
}

async function identifySource(
  deps: SolverDeps,
  scope: BuildScope,
  near: Neighbours,
  vertex: Vertex,
  op: Exclude<SourceOp, { kind: 'local' }>,
  signal: AbortSignal,
): Promise<Identity> {
  const shown = scope.display.start(vertex)
  try {
    // The table's type ties each resolver to its kind; TypeScript does not follow it through a union.
    const resolver = deps.sources[op.kind] as SourceResolver<SourceOp>
    const { key, pinned, material } = await resolver.identify(op, near.step(vertex, signal))
    const digest = sourceKey(op.kind, key)
    const known = { pinned, ...(material === undefined ? {} : { material }) }
    const identity = await asRecorded(deps, scope, vertex, { key: digest, portableKey: digest }, [])
    shown.done()
    return { ...identity, ...known }
  } catch (error) {
    shown.failed(error)
    throw BuildError.from(error, { vertex: vertex.id, ...(vertex.meta.source && { source: vertex.meta.source }) })
  }
}

/** Looks the keys up; a step that must run anyway gets a key of its own, which those found so far will lead to. */
async function asRecorded(
  deps: SolverDeps,
  scope: BuildScope,
  { meta, op }: Vertex,
  pair: KeyPair,
  aliases: readonly KeyPair[],
): Promise<Identity> {
  const isSource = op.kind === 'image' || op.kind === 'git' || op.kind === 'http' || op.kind === 'layout'
  if (meta.ignoreCache === true && !isSource)
    return { key: freshKey(pair.key, randomUUID()), portableKey: pair.portableKey, aliases: [...aliases, pair] }
  const known = await lookUp(deps, scope, pair)
  if (known === undefined) return { ...pair, aliases }
  for (const alias of aliases) if (known.record !== undefined) deps.cache.link(known.record.id, alias)
  return { ...known, aliases }
}

async function lookUp({ cache }: SolverDeps, scope: BuildScope, pair: KeyPair): Promise<Identity | undefined> {
  const record = cache.find(pair.key)
  if (record !== undefined) {
    // Found now, used later: nothing may delete it between.
    scope.pins.add(record.id)
    for (const { chain } of record.outputs) if (chain !== undefined) scope.lease.hold(chain)
    return { key: record.key, portableKey: record.portableKey, aliases: [], record }
  }
  // Where something below was run anew, another machine's result would lie on other layers.
  if (pair.key !== pair.portableKey) return undefined
  const imported = await findImported(scope, pair.key)
  if (imported === undefined) return undefined
  const { key } = imported.found
  return { key, portableKey: key, aliases: key === pair.key ? [] : [pair], imported }
}

async function findImported(scope: BuildScope, key: Digest): Promise<ImportedResult | undefined> {
  for (const from of await scope.imports()) {
    const found = from.find(key)
    if (found !== undefined) return { from, found }
  }
  return undefined
}

function asInput({ key, portableKey }: Identity, { output }: Edge): { key: InputKey; portableKey: InputKey } {
  return { key: { key, output }, portableKey: { key: portableKey, output } }
}

function pairOf(op: Op, inputs: InputPairs): KeyPair | undefined {
  const known = inputs.filter((input) => input !== undefined)
  if (known.length < inputs.length) return undefined
  const key = stepKey(
    op,
    known.map((input) => input.key),
  )
  const isPortable = known.every(
    ({ key: own, portableKey: other }) => own === other || ('key' in own && 'key' in other && own.key === other.key),
  )
  const portableKey = isPortable
    ? key
    : stepKey(
        op,
        known.map((input) => input.portableKey),
      )
  return { key, portableKey }
}

function unknownInput(vertex: Vertex): never {
  throw new BuildError('INVALID_ARGUMENT', `invalid input of ${vertex.meta.name}`, { vertex: vertex.id })
}

function keyFailure({ id, meta }: Vertex, error: unknown): never {
  const text = error instanceof Error ? error.message : String(error)
  if (codeOf(error) === 'CANCELLED') throw error
  throw new BuildError(codeOf(error), `failed to compute cache key: ${text}`, {
    vertex: id,
    ...(meta.source && { source: meta.source }),
    cause: error,
  })
}
