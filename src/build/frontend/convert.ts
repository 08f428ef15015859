import { createLinter, Effort, parseLintConfig } from '#dockerfile'
import type { Dockerfile, LintConfig, Linter, ReadPart } from '#dockerfile'
import { invalidArgument, notFound } from '#errors'
import type { Edge } from '../graph/types.ts'
import type { FrontendHost } from '../types.ts'
import { createNamedContexts } from './context/named-contexts.ts'
import type { Conversion } from './conversion.ts'
import type { Definition, DefinitionSource } from './definition.ts'
import { findDependencies } from './dependencies.ts'
import { dispatchStages } from './dispatch.ts'
import { withPlace } from './errors.ts'
import { findStages } from './find-stages.ts'
import { globalArguments } from './global-arguments.ts'
import { lintDefaultArguments } from './lint-from.ts'
import type { FrontendOptions } from './options.ts'
import { platformArguments } from './platforms.ts'
import type { BuildPlatforms } from './platforms.ts'
import { neededStages, resolveBases } from './resolve-bases.ts'
import { resolveSourceDate } from './source-date.ts'
import { StageList } from './stage-list.ts'
import type { StageState } from './stage-state.ts'
import { didYouMean } from './suggestion.ts'
import type { LateTree } from './tree.ts'

/** What a conversion works with. */
export interface ConversionRequest {
  definition: Definition
  options: FrontendOptions
  inputs: Readonly<Record<string, Edge>>
  host: FrontendHost
  platforms: BuildPlatforms
  linter: Linter
}

/** A Dockerfile that has been read to its end, for one platform. */
export interface Converted {
  readonly conversion: Conversion
  readonly target: StageState
  readonly needed: ReadonlySet<StageState>
}

/**
 * Reads a Dockerfile: which stages the target needs, what they begin with, and what their instructions make of it. `everything`: also stages that the target
 * does not need. Throws BuildError with the place in the Dockerfile.
 */
export async function convertDockerfile(request: ConversionRequest, everything: boolean): Promise<Converted> {
  const conversion = await beginConversion(request)
  lintText(request)
  findStages(conversion)
  const target = findTarget(conversion)
  findDependencies(conversion)
  const [needed, ignore] = await Promise.all([
    resolveBases(neededStages(everything ? undefined : target, conversion), conversion),
    request.definition.ignore(),
  ])
  conversion.ignore = ignore
  lintStages(request, needed)
  dispatchStages(needed, conversion)
  // The result is all of the target, whatever others take from it.
  target.paths.add('/')
  return { conversion, target, needed }
}

/** What was found in front of a mistake. Throws BuildError. */
export function lintReadPart(part: ReadPart, { file }: DefinitionSource, options: FrontendOptions): Linter {
  const linter = createBuildLinter({ dockerfile: part, file }, options)
  for (const finding of part.findings) linter.add(finding)
  return linter
}

/** The linter that the client, or the Dockerfile, asks for. Throws BuildError. */
export function createBuildLinter(
  { dockerfile, file }: Pick<Definition, 'file'> & { dockerfile: Pick<Dockerfile, 'checks' | 'directives'> },
  { check }: FrontendOptions,
): Linter {
  const { checks } = dockerfile
  const directive = dockerfile.directives.find(({ name }) => name === 'check')
  if (check !== undefined || directive === undefined) return createLinter(lintConfig(check ?? '', 'BUILDKIT_DOCKERFILE_CHECK'), checks)
  return withPlace(file, () => createLinter(lintConfig(directive.value, 'check options'), checks), directive.range)
}

function lintConfig(text: string, what: string): LintConfig {
  try {
    return parseLintConfig(text)
  } catch (error) {
    throw invalidArgument(`failed to parse ${what}: ${(error as Error).message}`, error)
  }
}

async function beginConversion({ definition, options: given, inputs, host, platforms, linter }: ConversionRequest): Promise<Conversion> {
  const { dockerfile, file } = definition
  const target = given.target === '' ? (dockerfile.stages.at(-1)?.from.name ?? '') : given.target
  const automatic = platformArguments(platforms, target, given.buildArgs)
  const effort = new Effort()
  const globals = globalArguments(dockerfile, file, automatic, given.buildArgs, effort)
  const contexts = createNamedContexts(given, inputs, host)
  const { created, options } = await resolveSourceDate({ definition, options: given, host, platforms, globals, contexts, effort })
  const contextPaths = new Set<string>()
  const context: LateTree = { kind: 'late', edge: () => definition.context(contextPaths, conversion.ignore) }
  const conversion: Conversion = {
    definition,
    options,
    host,
    platforms,
    globals,
    created,
    contexts,
    contextPaths,
    context,
    ignore: undefined,
    stages: new StageList(),
    instructions: 0,
    linter,
    effort,
  }
  lintDefaultArguments(automatic, conversion)
  return conversion
}

/** What the text alone tells of all stages. */
function lintText({ definition, linter }: ConversionRequest): void {
  for (const finding of definition.dockerfile.findings) if (finding.stage === undefined) linter.add(finding)
}

/** What it tells of stages that are built. */
function lintStages({ definition, linter }: ConversionRequest, needed: ReadonlySet<StageState>): void {
  const indices = new Set([...needed].map(({ index }) => index))
  for (const finding of definition.dockerfile.findings) {
    if (finding.stage !== undefined && indices.has(finding.stage)) linter.add(finding)
  }
}

/** By name, or the last stage of the Dockerfile. Throws NOT_FOUND. */
function findTarget({ stages, options: { target, history } }: Conversion): StageState {
  const found = target === '' ? stages.all.at(-1) : stages.named(target)
  if (found !== undefined) return found
  const reason = `target stage ${JSON.stringify(target)} could not be found${didYouMean([target], stages.names())}`
  throw history === 'classic' ? invalidArgument(`failed to reach build target ${target} in Dockerfile: ${reason}`) : notFound(reason)
}
