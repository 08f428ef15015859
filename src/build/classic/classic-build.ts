import { randomUUID } from 'node:crypto'
import { startFailure } from '#containers'
import { invalidArgument } from '#errors'
import type { ProgressMessage } from '#images'
import { hexOf, parseDigest } from '#oci'
import type { Digest } from '#oci'
import { LaunchError } from '#runtime'
import { BuildError } from '../build-error.ts'
import type { BuildSession } from '../session.ts'
import { parseGitUrl } from '../sources/git/parse-git-url.ts'
import type { Build, BuildResult, BuildService, CacheLocation, ExportRequest } from '../types.ts'
import { ClassicDisplay } from './classic-display.ts'
import { failedInstruction } from './failed-instruction.ts'
import { grantedEntitlements } from './granted-entitlements.ts'
import { HeldMessages } from './held-messages.ts'
import { stepNames } from './known-steps.ts'
import type { KnownSteps } from './known-steps.ts'
import { unusedArguments } from './unused-arguments.ts'

/** One request of the classic builder. Names of `options` are those of BuildKit's Dockerfile frontend. */
export interface ClassicBuildRequest {
  /** Empty: none; by it the build can be cancelled. */
  id: string
  /** Serves the context and the Dockerfile. Closed by the caller. */
  session: BuildSession
  options: Readonly<Record<string, string>>
  /** `app:1`, as the user wrote them. */
  names: readonly string[]
  /** Nothing is told but the id at the end, or what led to a failure. */
  quiet: boolean
  cacheImports: readonly CacheLocation[]
  signal: AbortSignal
  report: (message: ProgressMessage) => void
}

/** A step's program ended with a code of its own; the docker CLI exits with it. */
export class FailedCommand extends BuildError {
  readonly exitCode: number

  constructor(cause: BuildError, command: string, exitCode: number) {
    super(cause.code, `The command '${command}' returned a non-zero code: ${exitCode}`, { cause })
    this.name = 'FailedCommand'
    this.exitCode = exitCode
  }
}

/** Builds an image and tells of it as the classic builder did. Throws {@link FailedCommand} when a RUN step fails. */
export async function buildClassic(builds: BuildService, known: KnownSteps, request: ClassicBuildRequest): Promise<Digest> {
  checkRemote(request.options['context'])
  const build = builds.start({
    id: request.id === '' ? randomUUID() : request.id,
    session: request.session,
    entitlements: grantedEntitlements(request.options),
    cacheImports: request.cacheImports,
    signal: request.signal,
  })
  try {
    return await drive(builds, known, build, request)
  } catch (error) {
    await build.end()
    throw asCommandFailure(error)
  }
}

function checkRemote(context: string | undefined): void {
  if (context === undefined || /^https?:\/\//.test(context) || parseGitUrl(context) !== undefined) return
  throw invalidArgument(`remoteURL (${context}) could not be recognized as URL`)
}

async function drive(builds: BuildService, known: KnownSteps, build: Build, request: ClassicBuildRequest): Promise<Digest> {
  const { names, options, quiet } = request
  const held = new HeldMessages()
  const tell = quiet ? (message: ProgressMessage): void => held.add(message) : request.report
  const result = await read(build, request)
  const steps = result.images[0]?.steps ?? []
  const shown = new AbortController()
  const display = new ClassicDisplay(steps, knownAmong(known, stepNames(steps, options), 'no-cache' in options), tell)
  const showing = show(builds, build.id, display, shown.signal)
  try {
    const answer = await build.finish(asClassic(result), [imageExport(names)], [])
    await showing
    const unused = unusedArguments(options, steps)
    if (unused.length > 0) tell({ stream: `[Warning] One or more build-args [${unused.join(' ')}] were not consumed\n` })
    const id = parseDigest(answer['containerimage.config.digest'] ?? '')
    if (quiet) request.report({ stream: `${id}\n` })
    tell({ aux: { ID: id } })
    tell({ stream: `Successfully built ${hexOf(id).slice(0, 12)}\n` })
    for (const name of answer['image.name']?.split(',') ?? []) if (name !== '') tell({ stream: `Successfully tagged ${familiar(name)}\n` })
    return id
  } catch (error) {
    // What the failed step has said comes before the failure.
    await build.end()
    await showing
    // Files by URL are got by a step of their own, which no instruction stands for.
    if (!display.fail(error instanceof BuildError ? error.vertex : undefined)) tellPlace(error, options, tell)
    held.tell(request.report)
    throw error
  } finally {
    shown.abort()
  }
}

/** Reads the Dockerfile. An instruction that is wrong is shown as a step before its error is thrown: so that is an error in the stream, where clients expect it, and no status. */
async function read(build: Build, { options, report }: ClassicBuildRequest): Promise<BuildResult> {
  try {
    return await build.solve({
      frontend: 'dockerfile.v0',
      options: { ...options, 'gantry.history': 'classic' },
      inputs: {},
      evaluate: false,
    })
  } catch (error) {
    tellPlace(error, options, report)
    throw error
  }
}

function tellPlace(error: unknown, options: ClassicBuildRequest['options'], tell: ClassicBuildRequest['report']): void {
  const labels = Object.keys(options).filter((name) => name.startsWith('label:')).length
  const failed = failedInstruction(error, labels)
  if (failed !== undefined) for (const text of [`Step ${failed.number}/${failed.total} : ${failed.text}`, '\n']) tell({ stream: text })
}

/** Whether the step at a place was come to before; from now on it was. */
function knownAmong(known: KnownSteps, names: readonly Digest[], ignored: boolean): (index: number) => boolean {
  return (index) => {
    const name = names[index]
    return name !== undefined && known.add(name) && !ignored
  }
}

async function show(builds: BuildService, id: string, display: ClassicDisplay, signal: AbortSignal): Promise<void> {
  for await (const events of builds.events(id, signal)) for (const event of events) display.handle(event)
}

/** The classic builder made one image for one platform, and no attestations. */
function asClassic(result: BuildResult): BuildResult {
  return { ...result, multiPlatform: false }
}

function imageExport(names: readonly string[]): ExportRequest {
  return { type: 'moby', attributes: { name: names.join(',') }, id: '' }
}

/** `docker.io/library/app:1` as users write it. */
function familiar(name: string): string {
  return name.replace(/^docker\.io\/(library\/)?/, '')
}

function asCommandFailure(error: unknown): unknown {
  if (!(error instanceof BuildError) || error.step === undefined || error.step.exitCode === 0) return error
  const { op } = error.step.vertex
  if (op.kind !== 'exec') return error
  const refusal = launchErrorIn(error)
  // A program that never ran has no code: the text is that of a container that cannot be started.
  return refusal === undefined ? new FailedCommand(error, op.args.join(' '), error.step.exitCode) : startFailure(refusal).error
}

function launchErrorIn(error: Error): LaunchError | undefined {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) if (cause instanceof LaunchError) return cause
  return undefined
}
