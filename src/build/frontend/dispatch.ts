import type { StageInstruction } from '#dockerfile'
import type { Conversion } from './conversion.ts'
import { withPlace } from './errors.ts'
import { continueImage, DEFAULT_PATH } from './image-draft.ts'
import { dispatchArg } from './instructions/arg.ts'
import { dispatchCmd, dispatchEntrypoint, dispatchHealthcheck, dispatchShell } from './instructions/commands.ts'
import { dispatchAdd, dispatchCopy } from './instructions/copy.ts'
import { dispatchExpose } from './instructions/expose.ts'
import type { InstructionContext } from './instructions/instruction-context.ts'
import { dispatchEnv, dispatchLabel } from './instructions/key-values.ts'
import { dispatchRun } from './instructions/run.ts'
import { dispatchMaintainer, dispatchOnbuild, dispatchStopSignal, dispatchUser, dispatchVolume } from './instructions/settings.ts'
import { dispatchWorkdir, joinDirectory } from './instructions/workdir.ts'
import type { Command, StageState } from './stage-state.ts'

type Handlers = {
  readonly [K in StageInstruction['kind']]: (instruction: StageInstruction & { kind: K }, context: InstructionContext) => void
}

const HANDLERS: Handlers = {
  add: dispatchAdd,
  arg: dispatchArg,
  cmd: dispatchCmd,
  copy: dispatchCopy,
  entrypoint: dispatchEntrypoint,
  env: dispatchEnv,
  expose: dispatchExpose,
  healthcheck: dispatchHealthcheck,
  label: dispatchLabel,
  maintainer: dispatchMaintainer,
  onbuild: dispatchOnbuild,
  run: dispatchRun,
  shell: dispatchShell,
  stopsignal: dispatchStopSignal,
  user: dispatchUser,
  volume: dispatchVolume,
  workdir: dispatchWorkdir,
}

/** Carries out the instructions of the needed stages, in the order of the Dockerfile. Source: moby/buildkit dockerfile2llb/convert.go, dispatchStages. */
export function dispatchStages(needed: ReadonlySet<StageState>, conversion: Conversion): void {
  for (const stage of conversion.stages.all) {
    if (!needed.has(stage) || stage.phase === 'done') continue
    withPlace(conversion.definition.file, () => beginStage(stage, conversion), stage.range)
    for (const command of stage.commands) {
      withPlace(conversion.definition.file, () => dispatch(command, stage, conversion), command.instruction.range)
    }
    stage.phase = 'done'
  }
}

/** What a stage has before its first instruction: all of the stage that it continues, arguments included, or what the image's config says. */
function beginStage(stage: StageState, { platforms, effort }: Conversion): void {
  const { base } = stage
  if (base !== undefined) {
    // A thousand stages may continue one with a large config: each has a copy.
    effort.spend(JSON.stringify(base.image.config).length + base.image.environment.size() + base.variables.size())
    stage.tree = base.tree
    stage.image = continueImage(base.image)
    stage.platform = base.platform
    stage.variables = base.variables.copy()
    for (const [name, value] of base.arguments) stage.arguments.set(name, value)
    stage.paths = base.paths
    stage.workingDirectorySet = base.workingDirectorySet
  }
  stage.platform ??= platforms.target
  if (stage.from !== undefined) {
    const role = base === undefined && stage.baseName === 'scratch' ? { role: 'scratch' as const } : {}
    stage.steps.push({ text: stage.from.source, tree: base === undefined ? stage.tree : undefined, ...role })
  }
  const { config, environment, platform } = stage.image
  // Windows has no search path that all images share.
  if (platform.os !== 'windows' && environment.get('PATH') === undefined) environment.set('PATH', DEFAULT_PATH)
  stage.variables.add(environment)
  if (config.WorkingDir !== undefined && config.WorkingDir !== '') config.WorkingDir = joinDirectory('/', config.WorkingDir)
}

function dispatch(command: Command, stage: StageState, conversion: Conversion): void {
  const { instruction } = command
  const handler = HANDLERS[instruction.kind] as (instruction: StageInstruction, context: InstructionContext) => void
  const before = stage.tree
  handler(instruction, { stage, command, conversion })
  const tree = stage.tree === before ? undefined : stage.tree
  stage.steps.push({ text: instruction.source, tree, ...(command.onbuild && { role: 'trigger' }) })
}
