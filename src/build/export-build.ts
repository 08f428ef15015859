import type { Lease } from '#content'
import type { BuildExport, BuildServiceDeps } from './build-deps.ts'
import type { Edge } from './graph/types.ts'
import type { Progress } from './progress.ts'
import { graphFacts } from './provenance-facts.ts'
import type { BuildSession } from './session.ts'
import type { GraphSolver } from './solver/graph-solver.ts'
import { SCRATCH, type Ref } from './graph/ref.ts'
import { readStatements } from './read-statements.ts'
import type { ReadTreeDeps } from './read-tree.ts'
import type { BuildResult, CacheLocation, ExportContext, ExportRequest, FrontendRequest, ImageProvenance, SolvedResult } from './types.ts'

interface Context {
  session: BuildSession
  signal: AbortSignal
  progress: Progress
  lease: Lease
  startedAt: number
  buildId: string
  /** undefined: the client gave a definition. */
  frontend: FrontendRequest | undefined
}

interface Wanted {
  result: BuildResult
  exports: readonly ExportRequest[]
  cacheExports: readonly CacheLocation[]
}

export interface Exported {
  /** Of equal names the last exporter's. */
  answers: Record<string, string>
  /** Made when it is asked for. */
  provenance: () => ImageProvenance[]
}

/** Solves a result and gives it to exporters, then to caches. Attributes are read first: nothing is built for an export that cannot be. */
export async function exportBuild(
  deps: Pick<BuildServiceDeps, 'exporters' | 'caches'> & ReadTreeDeps,
  graph: GraphSolver,
  { startedAt, buildId, frontend, ...context }: Context,
  { result, exports, cacheExports }: Wanted,
): Promise<Exported> {
  const { exporters, caches } = deps
  // A question about a Dockerfile has an answer, and no files.
  if (result.images.length === 0) return { answers: {}, provenance: () => [] }
  const options = frontend?.options ?? {}
  const outputs: BuildExport[] = exports.map((request) => exporters.prepare(request, options))
  const isInline = ({ type }: CacheLocation): boolean => type === 'inline'
  outputs.push(...cacheExports.filter((location) => !isInline(location)).map((location) => caches.prepare(location)))

  const edges = result.images.flatMap(({ edge }) => edge ?? [])
  const solved = await solveImages(deps, graph, result, context.signal)
  const provenance = { buildId, frontend: frontend?.frontend ?? '', options, startedAt, ...graphFacts(graph, result.images) }
  const exportContext: ExportContext = { ...context, provenance, steps: graph.results(edges), inlineCache: cacheExports.some(isInline) }
  const answers = answersOf(result)
  // One after the other: what the first has sealed and compressed is there for the next.
  for (const output of outputs) Object.assign(answers, await output.export(solved, exportContext))
  const describe = ({ id, platform }: BuildResult['images'][number]): ImageProvenance => ({
    image: id,
    ...exporters.describe(provenance, platform),
  })
  return { answers, provenance: () => result.images.map(describe) }
}

/** What a frontend says to the client and not about the image. Source: moby/buildkit solver/llbsolver/solver.go. */
function answersOf({ metadata }: BuildResult): Record<string, string> {
  const said = Object.entries(metadata).filter(([name]) => name.startsWith('frontend.'))
  return Object.fromEntries(said.map(([name, value]) => [name, Buffer.from(value).toString()]))
}

async function solveImages(
  deps: ReadTreeDeps,
  graph: GraphSolver,
  { images, multiPlatform, metadata }: BuildResult,
  signal: AbortSignal,
): Promise<SolvedResult> {
  const edges = images.flatMap(({ edge, statements }) => [edge, statements].filter((wanted) => wanted !== undefined))
  const refs = new Map((await graph.solve(edges, signal)).map((ref, index) => [edges[index], ref]))
  const refOf = (edge: Edge | undefined): Ref => refs.get(edge) ?? SCRATCH
  return {
    images: images.map((image) => ({
      image,
      ref: refOf(image.edge),
      ...(image.statements !== undefined && { statements: readStatements(deps, refOf(image.statements)) }),
    })),
    multiPlatform,
    metadata,
  }
}
