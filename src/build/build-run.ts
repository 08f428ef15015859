import { codeOf, EngineError, invalidArgument } from '#errors'
import type { BuildServiceDeps } from './build-deps.ts'
import { exportBuild } from './export-build.ts'
import { Frontends, type FrontendServices } from './frontends.ts'
import type { Edge } from './graph/types.ts'
import type { Journal } from './journal.ts'
import { KnownImages } from './known-images.ts'
import { createImports } from './imports.ts'
import { SourceCheck } from './policies/source-check.ts'
import { showFrontend } from './show-frontend.ts'
import { readDirectoryIn, readFileIn, statFileIn } from './read-tree.ts'
import { ownStep } from './solver/build-step.ts'
import { createGraphSolver } from './solver/graph-solver.ts'
import type { BuildScope, SolverDeps } from './solver/solver.ts'
import { VertexDisplay } from './solver/vertex-display.ts'
import type { Build, BuildOptions, BuildWarning } from './types.ts'

export interface RunningBuildDeps {
  service: BuildServiceDeps
  solver: SolverDeps
  journal: Journal
  /** Told once, when nothing of the build goes on any more. */
  ended: () => void
}

/** One build from its start to its end: it holds all that it has made, so that nothing of it is collected meanwhile. */
export function createBuild({ service, solver, journal, ended }: RunningBuildDeps, options: BuildOptions): Build {
  const { session } = options
  const startedAt = service.now()
  const cancel = new AbortController()
  // Its only reason is BuildKit's text for it, whoever has left.
  const { signal } = cancel
  const held = new DisposableStack()
  const lease = held.use(service.content.lease())
  const pins = held.use(solver.cache.pins())
  const display = new VertexDisplay(journal, service.now)
  const imports = createImports(service.caches, options.cacheImports, { session, signal, progress: journal, lease })
  const sources = new SourceCheck(options.sourcePolicy)
  const scope: BuildScope = {
    session,
    sessionOf: (id) => (id === undefined || id === session.id ? session : (options.sessionOf?.(id) ?? session)),
    entitlements: options.entitlements,
    sources,
    progress: journal,
    display,
    lease,
    pins,
    onEnd: (release) => (held.disposed ? release() : held.defer(release)),
    hasImports: options.cacheImports.length > 0,
    imports,
  }
  const graph = createGraphSolver(solver, scope, service.now)
  const images = new KnownImages({
    resolve: async (request, step) => await service.resolveImage(sources.allowedImage(request), step),
    display,
    step: (vertex, own) => ownStep(scope, vertex, own, service.now),
  })
  let exporting: Promise<unknown> = Promise.resolve()
  let provenance: Build['provenance'] = () => []
  let ending: Promise<void> | undefined

  const solveOne = async (edge: Edge) => {
    const [ref] = await graph.solve([edge], signal)
    if (ref === undefined) throw invalidArgument('nothing to solve')
    return ref
  }

  function warn({ source, ...warning }: BuildWarning): void {
    const where = source && { name: source.file.name, text: source.file.text, ranges: [{ start: source.start, end: source.end }] }
    journal.send({ kind: 'warning', ...warning, ...(where && { source: where }) })
  }

  const host: FrontendServices = {
    session,
    signal,
    hostPlatform: service.hostPlatform,
    resolveImage: (request) => images.resolve(request, signal),
    async readFile(edge, path, range) {
      const ref = await solveOne(edge)
      try {
        return readFileIn(service, ref, path, range)
      } catch (error) {
        if (codeOf(error) === 'NOT_FOUND') return undefined
        throw error
      }
    },
    readDirectory: async (edge, path) => readDirectoryIn(service, await solveOne(edge), path, ''),
    warn,
    show: (name) => showFrontend(name, { display, progress: journal, now: service.now }),
  }
  const frontends = new Frontends({
    frontends: service.frontends,
    hostPlatform: service.hostPlatform,
    host,
    build: () => build,
    solveAll: (edges) => graph.solve(edges, signal),
  })

  async function work(): Promise<void> {
    // Who hears of it may call `end` again: it must be known by then that it ends.
    await Promise.resolve()
    cancel.abort(new EngineError('CANCELLED', 'context canceled'))
    await Promise.allSettled([exporting, frontends.settled(), graph.settled(), images.settled()])
    journal.end()
    try {
      held.dispose()
    } catch (error) {
      // A full disk cannot note what was used. What was built stands.
      service.report(error)
    } finally {
      ended()
    }
  }

  const build: Build = {
    id: options.id,
    signal,
    async solve(request) {
      signal.throwIfAborted()
      return await frontends.solve(request)
    },
    evaluate: solveOne,
    readFile: async (edge, path, range) => readFileIn(service, await solveOne(edge), path, range),
    readDirectory: async (edge, path, pattern) => readDirectoryIn(service, await solveOne(edge), path, pattern),
    statFile: async (edge, path) => statFileIn(service, await solveOne(edge), path),
    resolveImage: (request) => images.resolve(request, signal),
    warn,
    async openContainer({ mounts, ...request }) {
      const vertex = request.step?.vertex ?? mounts?.find(({ edge }) => edge !== undefined)?.edge?.vertex
      if (vertex === undefined) throw invalidArgument('a container needs a file system')
      const solved = await Promise.all(
        (mounts ?? []).map(async ({ edge, ...mount }) => ({ ...mount, ref: edge === undefined ? undefined : await solveOne(edge) })),
      )
      return await service.openContainer(
        { ...request, ...(mounts === undefined ? {} : { mounts: solved }) },
        ownStep(scope, vertex, signal, service.now),
      )
    },
    async finish(result, exports, cacheExports) {
      try {
        const context = { session, signal, progress: journal, lease, startedAt, buildId: options.id, frontend: frontends.exported }
        const exported = exportBuild(service, graph, context, { result, exports, cacheExports })
        exporting = exported
        const { answers, provenance: made } = await exported
        provenance = made
        return answers
      } finally {
        await build.end()
      }
    },
    provenance: () => provenance(),
    end: () => (ending ??= work()),
  }
  // A client that has gone ends nothing itself.
  const gone = AbortSignal.any([session.closed, ...(options.signal === undefined ? [] : [options.signal])])
  const leave = (): void => void build.end().catch(service.report)
  if (gone.aborted) leave()
  else gone.addEventListener('abort', leave, { once: true, signal })
  return build
}
