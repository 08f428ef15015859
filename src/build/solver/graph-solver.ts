import { codeOf, EngineError } from '#errors'
import { chainIds } from '#oci'
import type { Digest } from '#oci'
import { BuildError } from '../build-error.ts'
import type { Ref } from '../graph/ref.ts'
import type { Edge, Vertex } from '../graph/types.ts'
import type { Material, StepResult } from '../types.ts'
import { listenerOf, ownStep } from './build-step.ts'
import { contentInputs } from './content-inputs.ts'
import { checkEntitlements } from './entitlements.ts'
import { identify, type Neighbours } from './identify.ts'
import { SharedWork } from '#lib'
import { fromRecord, outputOf, solveVertex, type VertexWork } from './solve-vertex.ts'
import { giveDevices } from './give-devices.ts'
import { isSource, type BuildScope, type Identity, type ImportedResult, type Solved, type SolverDeps } from './solver.ts'
import { walkGraph } from './walk-graph.ts'

/** Solves the graphs of one build. What was solved once stays solved until the build ends. */
export interface GraphSolver {
  /** Independent vertices at the same time; the first failure cancels the rest. Throws BuildError. */
  solve(edges: readonly Edge[], signal: AbortSignal): Promise<Ref[]>
  /** What the sources were that it asked about, by the ids of their vertices. */
  materials(): ReadonlyMap<Digest, Material>
  /** The client's directories that it has read. */
  directories(): ReadonlySet<string>
  /** What is known of the steps below these edges, inputs first. */
  results(edges: readonly Edge[]): StepResult[]
  /** Resolves when nothing of it goes on any more. */
  settled(): Promise<void>
}

export function createGraphSolver(deps: SolverDeps, scope: BuildScope, now: () => number): GraphSolver {
  const identities = new SharedWork<Digest, Identity>({ remember: true })
  const results = new SharedWork<Digest, Solved>({ remember: true })
  const identified = new Map<Digest, Identity>()
  const missed = Promise.withResolvers<void>()
  const retired = new Set<string>()
  const directories = new Set<string>()
  /** By id: steps as they are done, where that is not as they are written. */
  const withDevices = new Map<Digest, Vertex>()
  /** Which is not always as it is written: of sources by the client's policy, of steps by the devices there are. */
  const asDone = (vertex: Vertex): Vertex => withDevices.get(vertex.id) ?? scope.sources.allowed(vertex)

  const near: Neighbours = {
    identityOf: (vertex, signal) =>
      identities.join(vertex.id, signal, async (own) => {
        await nextTurn()
        const identity = await identify(deps, scope, near, asDone(vertex), own)
        identified.set(vertex.id, identity)
        return identity
      }),
    resultOf: (vertex, signal) =>
      results.join(vertex.id, signal, async (own) => {
        await nextTurn()
        return await resultOf(asDone(vertex), own)
      }),
    step: (vertex, signal) => ownStep(scope, vertex, signal, now),
    missed: missed.promise,
  }

  async function resultOf(vertex: Vertex, signal: AbortSignal): Promise<Solved> {
    checkEntitlements(vertex, scope.entitlements)
    if (vertex.op.kind === 'local') directories.add(vertex.op.name)
    const identity = vertex.op.kind === 'local' ? undefined : await near.identityOf(vertex, signal)
    if (identity?.record !== undefined) {
      scope.display.cachedUnlessShown(walkGraph([vertex]).slice(0, -1))
      scope.display.cached(vertex)
      return fromRecord(identity.record)
    }
    const solved = (await resultElsewhere(vertex, identity, signal)) ?? (await resultHere(vertex, identity, signal))
    if (solved.record !== undefined) scope.pins.add(solved.record.id)
    for (const ref of solved.outputs) if (ref.kind === 'layers' && ref.chain !== undefined) scope.lease.hold(ref.chain)
    return solved
  }

  /** Undefined: no cache elsewhere has it, or it has lost the layers: services delete what is old. A build without its caches is slower, not wrong. */
  async function resultElsewhere(vertex: Vertex, identity: Identity | undefined, signal: AbortSignal): Promise<Solved | undefined> {
    if (identity?.imported === undefined) return undefined
    try {
      const solved = await shown({ vertex, identity, inputs: [] }, signal)
      scope.display.cachedUnlessShown(walkGraph([vertex]).slice(0, -1))
      return solved
    } catch (error) {
      if (signal.aborted) throw error
      const text = `cannot use the imported cache: ${error instanceof Error ? error.message : String(error)}\n`
      ownStep(scope, vertex, signal, now).log(2, Buffer.from(text))
      return undefined
    }
  }

  async function resultHere(vertex: Vertex, known: Identity | undefined, signal: AbortSignal): Promise<Solved> {
    const identity = known && withoutImport(known)
    if (isSource(vertex)) return await shown({ vertex, identity, inputs: [] }, signal)
    missed.resolve()
    const inputs = await Promise.all(vertex.inputs.map((edge) => near.resultOf(edge.vertex, signal)))
    return await shown({ vertex, identity, inputs }, signal)
  }

  async function shown(work: VertexWork, signal: AbortSignal): Promise<Solved> {
    const { vertex, identity } = work
    const shownWork = scope.display.start(vertex)
    try {
      const solved = await deps.running.run(shareKey(work), listenerOf(scope, vertex), signal, async (feed, own) => {
        const made = await solveVertex(deps, work, feed, own)
        // Here, and not when it is waited for: a build that has left must give its directories back, too. Steps that give some are not shared.
        for (const ref of made.outputs) if (ref.kind === 'directory' && ref.release !== undefined) scope.onEnd(ref.release)
        return made
      })
      if (identity?.imported === undefined) shownWork.done()
      else shownWork.cached()
      return solved
    } catch (error) {
      const failure = signal.aborted ? cancelled(error) : error
      if (identity?.imported !== undefined && !signal.aborted) shownWork.done()
      else shownWork.failed(failure)
      throw BuildError.from(failure, { vertex: vertex.id, ...(vertex.meta.source && { source: vertex.meta.source }) })
    }
  }

  /** What runs anew finds its caches empty, but for what steps of this build have put there. Source: moby/buildkit solver/llbsolver/vertex.go, detectPrunedCacheID. */
  function retireCaches(vertices: readonly Vertex[]): void {
    const ids = new Set(vertices.filter(({ meta }) => meta.ignoreCache === true).flatMap(cacheIds)).difference(retired)
    if (ids.size === 0) return
    deps.cacheMounts.retire(ids)
    for (const id of ids) retired.add(id)
  }

  return {
    async solve(edges, signal) {
      identities.forgetFailures()
      results.forgetFailures()
      const vertices = walkGraph(edges.map(({ vertex }) => vertex))
      scope.sources.check(vertices)
      for (const [id, vertex] of await giveDevices(deps, scope, vertices)) withDevices.set(id, vertex)
      scope.display.announce(vertices)
      retireCaches(vertices)
      const failed = new AbortController()
      const either = AbortSignal.any([signal, failed.signal])
      try {
        return await Promise.all(edges.map(async (edge) => outputOf(edge, await near.resultOf(edge.vertex, either))))
      } catch (error) {
        failed.abort(error)
        throw signal.aborted ? cancelled(error) : error
      }
    },
    materials: () => new Map([...identified].flatMap(([id, { material }]) => (material === undefined ? [] : [[id, material] as const]))),
    directories: () => directories,
    results(edges) {
      const vertices = walkGraph(edges.map(({ vertex }) => vertex))
      const inResult = layersOf(edges)
      return vertices.flatMap((vertex) => resultFacts(deps, vertex.id, identified.get(vertex.id), inResult.has(vertex.id)))
    },
    async settled() {
      await Promise.all([identities.settled(), results.settled()])
    },
  }
}

function withoutImport({ imported: _imported, ...identity }: Identity): Identity {
  return identity
}

/** A graph may be thousands of steps deep, the stack may not: each vertex begins on a stack of its own. */
async function nextTurn(): Promise<void> {}

/**
 * The same work in two builds is done once. Not what must run anew for each, what comes from one client only, and what reads a directory of a client: that
 * one may change as soon as its own build has ended.
 */
function shareKey({ identity, inputs }: VertexWork): Digest | symbol {
  const readsDirectory = inputs.some(({ outputs }) => outputs.some(({ kind }) => kind === 'directory'))
  return identity === undefined || readsDirectory ? Symbol('unshared') : identity.key
}

function cacheIds({ op }: Vertex): string[] {
  return op.kind === 'exec' ? op.mounts.flatMap((mount) => (mount.type === 'cache' ? [mount.id] : [])) : []
}

/** Steps whose layers are in these file systems: down by what each step builds on, not by what it reads. */
function layersOf(edges: readonly Edge[]): Set<Digest> {
  const found = new Set<Digest>()
  const left = edges.map(({ vertex }) => vertex)
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    if (found.has(next.id)) continue
    found.add(next.id)
    const read = contentInputs(next)
    left.push(...next.inputs.filter((_, index) => !read.has(index)).map(({ vertex }) => vertex))
  }
  return found
}

function resultFacts({ cache }: SolverDeps, vertex: Digest, identity: Identity | undefined, isInResult: boolean): StepResult[] {
  if (identity === undefined) return []
  const record = identity.record ?? cache.find(identity.key)
  const [output, ...others] = record?.outputs ?? []
  // Keys stand for a whole step; one with several results has no place in a portable cache.
  if (record === undefined && identity.imported !== undefined) return [importedFacts(vertex, identity, identity.imported, isInResult)]
  if (record === undefined || output === undefined || others.length > 0) return []
  const aliases = new Set([...identity.aliases, ...record.aliases].map(({ portableKey }) => portableKey))
  aliases.delete(record.portableKey)
  const { description, createdAt } = record
  return [{ vertex, output: 0, keys: [record.portableKey, ...aliases], chain: output.chain, description, createdAt, isInResult }]
}

/** Of a step whose layers an imported cache has: they are here if the build has needed them, or something above them. */
function importedFacts(vertex: Digest, { aliases }: Identity, { found }: ImportedResult, isInResult: boolean): StepResult {
  const { key, layers, description, createdAt } = found
  const others = new Set(aliases.map(({ portableKey }) => portableKey))
  others.delete(key)
  return { vertex, output: 0, keys: [key, ...others], chain: chainIds(layers).at(-1), description, createdAt, isInResult }
}

/** BuildKit's text, by which clients tell what was cancelled from what failed. */
function cancelled(error: unknown): unknown {
  return codeOf(error) === 'CANCELLED' ? error : new EngineError('CANCELLED', 'context canceled', { cause: error })
}
