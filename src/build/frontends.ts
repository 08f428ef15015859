import { invalidArgument } from '#errors'
import type { Platform } from '#oci'
import { BuildError } from './build-error.ts'
import type { Frontend } from './build-deps.ts'
import type { Ref } from './graph/ref.ts'
import type { Edge } from './graph/types.ts'
import type { BuildResult, DrivenBuild, FrontendHost, FrontendRequest } from './types.ts'

/** All that a frontend may ask but what makes other frontends run. */
export type FrontendServices = Omit<FrontendHost, 'build' | 'forward'>

export interface FrontendsDeps {
  frontends: Readonly<Record<string, Frontend>>
  hostPlatform: Platform
  host: FrontendServices
  /** The build that they are run for. */
  build: () => DrivenBuild
  solveAll: (edges: readonly Edge[]) => Promise<readonly Ref[]>
}

/** Frontends may run frontends. One that by mistake runs itself would fill the host with containers. */
const MAX_DEPTH = 8

/** At a time, however deep: one that runs itself twice is over before it is deep. */
const MAX_RUNNING = 100

/** The frontends of one build: those that the client runs, and those that they run in turn. */
export class Frontends {
  readonly #deps: FrontendsDeps
  readonly #running = new Set<Promise<unknown>>()
  #exported: FrontendRequest | undefined

  constructor(deps: FrontendsDeps) {
    this.#deps = deps
  }

  /** The one whose result is exported: clients run others before, to ask things. undefined: the client gave a definition. */
  get exported(): FrontendRequest | undefined {
    return this.#exported
  }

  /** See {@link DrivenBuild.solve}. */
  async solve(request: FrontendRequest & { evaluate: boolean }): Promise<BuildResult> {
    return await this.#solve(request, 0)
  }

  /** Resolves when none runs. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.allSettled(this.#running)
  }

  async #solve({ evaluate, ...request }: FrontendRequest & { evaluate: boolean }, depth: number): Promise<BuildResult> {
    const result = request.frontend === '' ? this.#definitionResult(request) : await this.#run(request, depth)
    if (evaluate) await this.#deps.solveAll(result.images.flatMap(({ edge }) => edge ?? []))
    return result
  }

  async #run(request: FrontendRequest, depth: number): Promise<BuildResult> {
    const run = this.#deps.frontends[request.frontend]
    if (run === undefined) throw new BuildError('INVALID_ARGUMENT', `frontend ${request.frontend} not found`)
    if (depth > MAX_DEPTH) throw invalidArgument(`frontends run frontends more than ${MAX_DEPTH} deep`)
    if (this.#running.size >= MAX_RUNNING) throw invalidArgument(`more than ${MAX_RUNNING} frontends run in one build`)
    if (depth === 0) this.#exported = request
    const running = run(request, this.#hostAt(depth))
    this.#running.add(running)
    try {
      return await running
    } finally {
      this.#running.delete(running)
    }
  }

  #hostAt(depth: number): FrontendHost {
    const build = this.#deps.build()
    return {
      ...this.#deps.host,
      forward: (request) => this.#run(request, depth),
      build: { ...build, solve: (request) => this.#solve(request, depth + 1) },
    }
  }

  /** A definition is its own result. */
  #definitionResult({ definition }: FrontendRequest): BuildResult {
    const { hostPlatform: platform } = this.#deps
    const images = definition === undefined ? [] : [{ id: `${platform.os}/${platform.architecture}`, platform, edge: definition }]
    return { images, multiPlatform: false, metadata: {} }
  }
}
