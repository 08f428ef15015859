import type { StageInstruction } from '#dockerfile'
import { invalidArgument } from '#errors'
import { fullString, parseReference, withDefaultTag } from '#oci'
import type { ImageConfigFile, Platform } from '#oci'
import { BuildError } from '../build-error.ts'
import type { VertexMeta } from '../graph/types.ts'
import { imageSource } from './context/image-source.ts'
import type { Conversion } from './conversion.ts'
import { addTriggers } from './dependencies.ts'
import { Environment } from './environment.ts'
import { sourceRange, withPlaceAsync } from './errors.ts'
import { emptyImage, imageFrom } from './image-draft.ts'
import { lintBasePlatform } from './lint-from.ts'
import { isSameMachine, platformOf, platformPrefix } from './platforms.ts'
import { reachableFrom } from './stage-list.ts'
import type { StageState } from './stage-state.ts'
import { nextStepName } from './step-name.ts'
import { didYouMean } from './suggestion.ts'
import { stepTree } from './tree.ts'
import type { Tree } from './tree.ts'

/**
 * Finds the images and contexts that the wanted stages begin with, several at a time, and reads the triggers of base images, which may need further stages.
 * Gives all stages that are needed. Source: moby/buildkit dockerfile2llb/convert.go, resolveStages.
 */
export async function resolveBases(wanted: () => ReadonlySet<StageState>, conversion: Conversion): Promise<ReadonlySet<StageState>> {
  for (;;) {
    for (const stage of wanted()) if (stage.base !== undefined) readTriggers(stage, stage.base.commands.flatMap(triggerOf), conversion)
    const needed = wanted()
    const open = conversion.stages.all.filter((stage) => needed.has(stage) && stage.phase === 'found' && stage.base === undefined)
    if (open.length === 0) return needed
    await Promise.all(open.map((stage) => withPlaceAsync(conversion.definition.file, () => resolveBase(stage, conversion), stage.range)))
  }
}

/** What `target` needs, or all that there is. */
export function neededStages(target: StageState | undefined, { stages }: Conversion): () => ReadonlySet<StageState> {
  return () => (target === undefined ? new Set(stages.all) : reachableFrom(target))
}

function readTriggers(stage: StageState, triggers: readonly string[], conversion: Conversion): void {
  if (stage.triggersRead) return
  stage.triggersRead = true
  addTriggers(stage, triggers, conversion)
}

function triggerOf({ instruction }: { instruction: StageInstruction }): string[] {
  return instruction.kind === 'onbuild' ? [instruction.trigger] : []
}

async function resolveBase(stage: StageState, conversion: Conversion): Promise<void> {
  const { platforms, contexts } = conversion
  // An image that only `--from` names has no instructions to come.
  stage.phase = stage.from === undefined ? 'done' : 'based'
  if (stage.context !== undefined) {
    const { tree, config } = await stage.context.load(stage.paths)
    setBase(stage, { tree, config, platform: config === undefined ? (stage.platform ?? platforms.target) : platformOf(config) }, conversion)
    // A context of the stage's name stands for all of it.
    stage.phase = 'done'
    return
  }
  if (stage.baseName === 'scratch') return setBase(stage, { tree: undefined, config: undefined, platform: platforms.target }, conversion)
  const platform = stage.platform ?? platforms.target
  const reference = imageReference(stage.baseName)
  const context = contexts.find(reference, platform)
  if (context === undefined) return await resolveImage(stage, reference, platform, conversion)
  const { tree, config } = await context.load(stage.paths)
  stage.counter.total--
  setBase(stage, { tree, config, platform }, conversion)
}

interface Base {
  tree: Tree
  config: ImageConfigFile | undefined
  platform: Platform
}

/** Triggers are for this build, not for the image that it makes. */
function setBase(stage: StageState, { tree, config, platform }: Base, conversion: Conversion): void {
  // Many stages may begin with one image whose config is as large as one may be.
  if (config !== undefined) conversion.effort.spend(JSON.stringify(config).length)
  stage.tree = tree
  stage.image = config === undefined ? emptyImage(platform) : imageFrom(config)
  stage.platform = platform
  const triggers = stage.image.config.OnBuild ?? []
  delete stage.image.config.OnBuild
  readTriggers(stage, triggers, conversion)
}

function imageReference(name: string): string {
  try {
    return fullString(withDefaultTag(parseReference(name)))
  } catch (error) {
    throw invalidArgument(`failed to parse stage name ${JSON.stringify(name)}: ${(error as Error).message}`, error)
  }
}

async function resolveImage(stage: StageState, reference: string, wanted: Platform, conversion: Conversion): Promise<void> {
  const { options, host, platforms, definition } = conversion
  const resolveMode = options.resolveMode
  const prefix = options.multiPlatform ? `${platformPrefix(wanted, new Environment())} ` : ''
  const name = `[${prefix}internal] load metadata for ${reference}`
  const resolved = await host
    .resolveImage({ reference, platform: wanted, resolveMode, name })
    .catch((error: unknown) => Promise.reject(resolveError(error, stage, conversion)))
  const { config } = resolved
  // Nobody has asked for a platform, so a base for another one is what is meant.
  const detected = stage.platform === undefined && platforms.implicit ? detectPlatform(config, wanted, platforms.build) : wanted
  setBase(stage, { tree: undefined, config, platform: detected }, conversion)
  if (isEmptyImage(config)) {
    stage.counter.total--
    return
  }
  const meta: VertexMeta = {
    name: nextStepName(stage.counter, `FROM ${resolved.reference}`, { platform: detected, variables: new Environment() }),
    ...(stage.range !== undefined && { source: sourceRange(definition.file, stage.range) }),
  }
  stage.tree = stepTree(imageSource(resolved, detected, resolveMode), [], meta)
  lintBasePlatform(stage.baseName, detected, platformOf(config), stage, conversion)
}

/** `alpin: docker.io/library/alpin:latest: not found (did you mean alpine?)`. */
function resolveError(error: unknown, { baseName }: StageState, { stages }: Conversion): BuildError {
  const { code, message, vertex } = BuildError.from(error, {})
  const hint = didYouMean([baseName], [...stages.names(), ...COMMON_IMAGES])
  return new BuildError(code, `${baseName}: ${message}${hint}`, { ...(vertex !== undefined && { vertex }), cause: error })
}

const COMMON_IMAGES = ['alpine', 'busybox', 'centos', 'debian', 'golang', 'ubuntu', 'fedora'].flatMap((name) => [
  name,
  `docker.io/library/${name}`,
  `${name}:latest`,
  `docker.io/library/${name}:latest`,
])

function detectPlatform(config: ImageConfigFile, wanted: Platform, build: Platform): Platform {
  const own = platformOf(config)
  return [wanted, build].find((platform) => isSameMachine(platform, own)) ?? wanted
}

/** Schema 1 images have no diff ids, but their history tells of layers. */
function isEmptyImage({ rootfs, history = [] }: ImageConfigFile): boolean {
  return rootfs.diff_ids.length === 0 && history.every(({ empty_layer: empty }) => empty === true)
}
