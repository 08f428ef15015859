import type { BuildResult, DebugContainer, DrivenBuild, FailedStep } from '#build'
import { conflict, EngineError, notFound } from '#errors'
import { toGrpcError, type ops } from '#grpc'
import { Rendezvous } from '#lib'
import { buildFacts, failedStepId } from './build-errors.ts'

/** Milliseconds for a build to begin: the call that starts it and those that drive it come side by side. Source: moby/buildkit control/gateway. */
const PATIENCE = 3000

/**
 * Bytes that one client may have kept for its build: what it asks to be solved and what it warns of stays until the build's end. Attack: a frontend is a program
 * that whoever writes a Dockerfile chooses.
 */
const MAX_KEPT = 256 << 20

/** Bytes that are kept beside a message itself. */
const KEPT_WITH_MESSAGE = 4096

/** Builds that go on, by their clients' names for them. */
export function createClientBuilds(): Rendezvous<ClientBuild> {
  return new Rendezvous((id) => noSuchJob(id), PATIENCE)
}

/** With its code, by which clients know it. */
export function noSuchJob(id: string): Error {
  return toGrpcError(notFound(`no such job ${id}`))
}

/** A build as its client sees it, from the call that starts it to that call's answer; or a frontend that is a program, while it runs. */
export class ClientBuild implements AsyncDisposable {
  readonly build: DrivenBuild
  /** Id of the session; empty: none. */
  readonly session: string
  /** What the client defined when it started the build. */
  readonly inputs: Readonly<Record<string, ops.Definition>>
  /** File systems given out as results, as they were told. */
  readonly given: GivenImage[] = []
  /** Steps that can be entered, by ids that errors tell. */
  readonly failedSteps: Map<string, FailedStep> = new Map()
  readonly containers: Map<string, DebugContainer> = new Map()
  readonly #returned = Promise.withResolvers<BuildResult>()
  #outcome: BuildResult | Error | undefined
  #kept = 0
  #isOver = false

  constructor(build: DrivenBuild, session: string, inputs: Readonly<Record<string, ops.Definition>>) {
    this.build = build
    this.session = session
    this.inputs = inputs
    this.#returned.promise.catch(() => {})
  }

  /** For a message of so many bytes whose content is kept. Throws RESOURCE_EXHAUSTED when there has been too much of that. */
  keep(bytes: number): void {
    this.#kept += bytes + KEPT_WITH_MESSAGE
    if (this.#kept > MAX_KEPT)
      throw new EngineError('RESOURCE_EXHAUSTED', `more than ${MAX_KEPT} bytes were asked of build ${this.build.id}`)
  }

  /** Throws CANCELLED when nobody would take back any more what is given out. */
  throwIfOver(): void {
    this.build.signal.throwIfAborted()
    if (this.#isOver) throw new EngineError('CANCELLED', 'context canceled')
  }

  /** The client hands over what is to be exported, or says that it failed. Throws CONFLICT the second time. */
  return(result: BuildResult | Error): void {
    if (this.#outcome !== undefined) throw conflict('gateway result is already set')
    this.#outcome = result
    if (result instanceof Error) this.#returned.reject(result)
    else this.#returned.resolve(result)
  }

  /** What the client has handed over so far. */
  get returned(): BuildResult | Error | undefined {
    return this.#outcome
  }

  /** What the client hands over. Throws its error, and CANCELLED when the build ends before. */
  async result(): Promise<BuildResult> {
    const { signal } = this.build
    const { promise, reject } = Promise.withResolvers<never>()
    const abort = (): void => reject(new EngineError('CANCELLED', 'context canceled', { cause: signal.reason }))
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort, { once: true })
    try {
      return await Promise.race([promise, this.#returned.promise])
    } finally {
      signal.removeEventListener('abort', abort)
    }
  }

  /** A step that fails in `solving` can be entered later, by the id that its error tells. */
  async rememberFailure<T>(solving: Promise<T>): Promise<T> {
    try {
      return await solving
    } catch (error) {
      const { step } = buildFacts(error)
      if (step !== undefined) this.failedSteps.set(failedStepId(step), step)
      throw error
    }
  }

  /** Throws CONFLICT for an id in use. */
  addContainer(id: string, container: DebugContainer): void {
    if (this.containers.has(id)) throw conflict(`container ${id} already exists`)
    this.containers.set(id, container)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true
    await Promise.allSettled([...this.containers.values()].map((container) => container[Symbol.asyncDispose]()))
    this.containers.clear()
  }
}

/** An image that a client got: when it comes back unchanged, nothing of it is lost. */
export interface GivenImage {
  readonly ref: string
  readonly image: BuildResult['images'][number]
  /** Its config as the client got it. */
  readonly config: string
}
