import { expandWord } from '#dockerfile'
import type { Expansion, FromInstruction, Stage } from '#dockerfile'
import { invalidArgument } from '#errors'
import { parsePlatform } from '#oci'
import type { Platform } from '#oci'
import type { Conversion } from './conversion.ts'
import { withPlace } from './errors.ts'
import { lintUndefinedInFrom } from './lint-from.ts'
import { newOutlineNotes } from './outline-notes.ts'
import { makesStep, newStage } from './stage-state.ts'
import type { StageState } from './stage-state.ts'
import { didYouMean } from './suggestion.ts'

/** Reads all FROM lines. Source: moby/buildkit dockerfile2llb/convert.go, buildDispatchStates. */
export function findStages(conversion: Conversion): void {
  const { definition, stages } = conversion
  for (const stage of definition.dockerfile.stages) {
    stages.add(withPlace(definition.file, () => findStage(stage, conversion), stage.from.range))
  }
}

function findStage({ from, index, instructions }: Stage, conversion: Conversion): StageState {
  const { globals, options, platforms, contexts, stages } = conversion
  const image = expandFrom(from.image, from, conversion)
  if (image.text === '') throw invalidArgument(`base name (${from.image}) should not be blank`)
  const platform = from.platform === undefined ? undefined : stagePlatform(from.platform, from, conversion)
  const context = from.name === undefined ? undefined : contexts.find(from.name, platform?.value ?? platforms.target)
  const base = context === undefined ? stages.named(image.text) : undefined
  const outline = newOutlineNotes(base?.outline ?? { arguments: new Map(globals.notes) })
  for (const name of [...image.used, ...(platform?.used ?? [])]) outline.used.add(name)
  const steps = instructions.filter(makesStep).length
  const total = steps + (image.text === 'scratch' || base !== undefined ? 0 : 1)
  return newStage(
    {
      name: from.name,
      baseName: image.text,
      range: from.range,
      from,
      index,
      base,
      context,
      counter: { stage: from.name ?? `stage-${index}`, total, index: 0, withPlatform: options.multiPlatform },
      ignoreCache: options.noCache === 'all' || (from.name !== undefined && options.noCache.has(from.name)),
      platform: platform?.value,
      outline,
    },
    platforms.target,
  )
}

function expandFrom(word: string, from: FromInstruction, conversion: Conversion): Expansion {
  const expansion = expandWord(word, conversion.globals.variables, {
    escape: conversion.definition.dockerfile.escape,
    effort: conversion.effort,
  })
  lintUndefinedInFrom(expansion.unset, from, conversion)
  return expansion
}

function stagePlatform(word: string, from: FromInstruction, conversion: Conversion): { value: Platform; used: ReadonlySet<string> } {
  const { text, used, unset } = expandFrom(word, from, conversion)
  const hint = (): string => didYouMean(unset, conversion.globals.variables.names())
  if (text === '') throw invalidArgument(`empty platform value from expression ${word}${hint()}`)
  try {
    return { value: parsePlatform(text, conversion.platforms.build), used }
  } catch (error) {
    throw invalidArgument(`failed to parse platform ${word}: ${(error as Error).message}${hint()}`, error)
  }
}
