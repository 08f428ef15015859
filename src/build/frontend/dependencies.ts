import { expandWord, parseInstruction, parseMount } from '#dockerfile'
import type { CopyInstruction, Mount, RunInstruction, StageInstruction, TextRange } from '#dockerfile'
import { invalidArgument } from '#errors'
import { BuildError } from '../build-error.ts'
import type { Conversion } from './conversion.ts'
import type { Definition } from './definition.ts'
import { sourceRange, withPlace } from './errors.ts'
import { newOutlineNotes } from './outline-notes.ts'
import { makesStep, newStage } from './stage-state.ts'
import type { Command, StageState } from './stage-state.ts'

/** Far more than layers can be stacked; each is some work for all that come behind it. */
const MAX_INSTRUCTIONS = 10_000

/** Reads which stages the instructions of each stage need. Source: moby/buildkit dockerfile2llb/convert.go, buildStageDependencyGraph. */
export function findDependencies(conversion: Conversion): void {
  const { stages, definition } = conversion
  for (const stage of [...stages.all]) {
    // What stands for a stage needs nothing of what the stage would.
    if (stage.context !== undefined) continue
    const instructions = definition.dockerfile.stages[stage.index]?.instructions ?? []
    stage.commands = instructions.map((instruction) => addCommand(stage, instruction, instruction.range, false, conversion))
  }
  refuseCircles(conversion)
  if (stages.all.length === 1) for (const stage of stages.all) stage.counter.stage = ''
}

/** Puts the triggers of the base in front of the stage's instructions. Their place is the FROM that takes them. */
export function addTriggers(stage: StageState, triggers: readonly string[], conversion: Conversion): void {
  const { range } = stage
  if (range === undefined || stage.from === undefined) return
  const commands = triggers.map((trigger) => addCommand(stage, parseTrigger(trigger, range, conversion), range, true, conversion))
  stage.commands = [...commands, ...stage.commands]
  stage.counter.total += commands.filter(({ instruction }) => makesStep(instruction)).length
}

function parseTrigger(trigger: string, range: TextRange, { definition }: Conversion): StageInstruction {
  try {
    return { ...parseInstruction(trigger), range }
  } catch (error) {
    // Lines of the trigger are not those of the Dockerfile.
    throw BuildError.from(error, { source: sourceRange(definition.file, range) })
  }
}

function addCommand(stage: StageState, instruction: StageInstruction, range: TextRange, onbuild: boolean, conversion: Conversion): Command {
  const sources = withPlace(conversion.definition.file, () => countedSources(instruction, range, conversion), range)
  for (const source of sources) if (source !== undefined) stage.dependencies.set(source, range)
  return { instruction, sources, onbuild }
}

function countedSources(instruction: StageInstruction, range: TextRange, conversion: Conversion): Command['sources'] {
  if (++conversion.instructions > MAX_INSTRUCTIONS) throw invalidArgument(`more than ${MAX_INSTRUCTIONS} instructions`)
  return sourcesOf(instruction, range, conversion)
}

function sourcesOf(instruction: StageInstruction, range: TextRange, conversion: Conversion): Command['sources'] {
  if (instruction.kind === 'copy') return copySources(instruction, range, conversion)
  if (instruction.kind === 'run') return mountSources(instruction, range, conversion)
  return []
}

function copySources({ from }: CopyInstruction, range: TextRange, conversion: Conversion): StageState[] {
  if (from === undefined) return []
  refuseVariables(from, conversion)
  if (/^[+-]?\d+$/.test(from)) return [conversion.stages.at(Number(from))]
  return [stageOrImage(from, range, conversion)]
}

function mountSources({ mounts }: RunInstruction, range: TextRange, conversion: Conversion): Command['sources'] {
  return mounts.map((text) => {
    const mount = mountAsWritten(text)
    if (mount === undefined || (mount.type !== 'bind' && mount.type !== 'cache') || mount.from === undefined) return undefined
    refuseVariables(mount.from, conversion)
    return stageOrImage(mount.from, range, conversion)
  })
}

/** Values that are variables cannot be checked yet: that is done when the instruction's turn comes. */
function mountAsWritten(text: string): Mount | undefined {
  try {
    return parseMount(text, (value) => value)
  } catch {
    // A variable in place of a number, say. Its stage can be read all the same.
    const from = /(?:^|,)"?from=([^",]+)/i.exec(text)?.[1]
    return from === undefined ? undefined : parseMount(`type=bind,from=${from}`, (value) => value)
  }
}

/** Which stages there are must be known before any variable of a stage is. */
function refuseVariables(from: string, conversion: Conversion): void {
  const { text } = expandWord(from, new Map(), { escape: conversion.definition.dockerfile.escape })
  if (text === from) return
  throw invalidArgument(
    'variable expansion is not supported for --from, define a new stage with FROM using ARG from global scope as a workaround',
  )
}

/** A stage by its name; else the name is that of an image or context, which becomes a stage without instructions. */
function stageOrImage(name: string, range: TextRange, { stages, platforms }: Conversion): StageState {
  const known = stages.named(name) ?? stages.image(name)
  if (known !== undefined) return known
  const image = newStage(
    {
      name: undefined,
      baseName: name,
      range,
      from: undefined,
      index: stages.all.length,
      base: undefined,
      context: undefined,
      counter: { stage: '', total: 0, index: 0, withPlatform: false },
      ignoreCache: false,
      platform: undefined,
      outline: newOutlineNotes(),
    },
    platforms.target,
  )
  stages.add(image)
  return image
}

/** By hand and not by recursion: stages may be deeper than the stack. */
function refuseCircles({ stages, definition }: Conversion): void {
  const visited = new Set<StageState>()
  const path: { stage: StageState; next: Iterator<[StageState, TextRange]> }[] = []
  const onPath = new Set<StageState>()
  const enter = (stage: StageState): void => {
    if (visited.has(stage)) return
    visited.add(stage)
    onPath.add(stage)
    path.push({ stage, next: stage.dependencies.entries() })
  }
  for (const start of stages.all) {
    enter(start)
    for (let last = path.at(-1); last !== undefined; last = path.at(-1)) {
      const step = last.next.next()
      if (step.done === true) {
        onPath.delete(last.stage)
        path.pop()
      } else if (onPath.has(step.value[0])) throw circle(step.value, definition)
      else enter(step.value[0])
    }
  }
}

function circle([stage, range]: [StageState, TextRange], { file }: Definition): BuildError {
  const message = `circular dependency detected on stage: ${stage.counter.stage}`
  return new BuildError('INVALID_ARGUMENT', message, { source: sourceRange(file, range) })
}
