import { expandWord } from '#dockerfile'
import type { ExpandOptions, Expansion, InstructionBase } from '#dockerfile'
import type { Platform } from '#oci'
import type { VertexMeta } from '../../graph/types.ts'
import { lint } from '../conversion.ts'
import type { Conversion } from '../conversion.ts'
import { sourceRange } from '../errors.ts'
import { addHistory } from '../history.ts'
import type { HistoryNote } from '../history.ts'
import type { Command, StageState } from '../stage-state.ts'
import { displayText, nextStepName, stepName } from '../step-name.ts'
import { nearest } from '../suggestion.ts'

/** What an instruction works with. It changes `stage`. */
export interface InstructionContext {
  readonly stage: StageState
  readonly command: Command
  readonly conversion: Conversion
}

/** Arguments that are for BuildKit and not for programs. */
export const INTERNAL_ARGUMENTS: ReadonlySet<string> = new Set(['BUILDKIT_SBOM_SCAN_CONTEXT', 'BUILDKIT_SBOM_SCAN_STAGE'])

/** One word with the stage's variables; those that are not set are told (UndefinedVar). Throws DockerfileError without range. */
export function expand(word: string, context: InstructionContext, options: Partial<ExpandOptions> = {}): Expansion {
  const { stage, conversion, command } = context
  const expansion = expandWord(word, stage.variables, {
    escape: conversion.definition.dockerfile.escape,
    effort: conversion.effort,
    ...options,
  })
  for (const name of expansion.unset) {
    if (stage.arguments.has(name) || INTERNAL_ARGUMENTS.has(name)) continue
    lint(conversion, 'UndefinedVar', () => [name, nearest(name, stage.variables.names())], command.instruction.range)
  }
  return expansion
}

export function expandText(word: string, context: InstructionContext): string {
  return expand(word, context).text
}

/** Writes the instruction into the image's history. */
export function note(context: InstructionContext, entry: HistoryNote): void {
  const { options, created } = context.conversion
  addHistory(context.stage.image, entry, { style: options.history, created })
}

/** A note of an instruction that changes nothing but the config. */
export function noteMetadata(context: InstructionContext, text: string, classic: string = text): void {
  note(context, { text, classic, kind: 'metadata', hasLayer: false })
}

export function platformOfStage({ stage, conversion }: InstructionContext): Platform {
  return stage.platform ?? conversion.platforms.target
}

/** Where the instruction is, and whether its step may come from the cache. */
export function stepMeta(context: InstructionContext, name: string): VertexMeta {
  const { stage, command, conversion } = context
  return {
    name,
    source: sourceRange(conversion.definition.file, command.instruction.range),
    ...(stage.ignoreCache && { ignoreCache: true }),
  }
}

/** `[stage 2/5] COPY a b`, with the next number. */
export function nextName(context: InstructionContext, text: string): string {
  return nextStepName(context.stage.counter, text, nameFacts(context))
}

/** The same number once more. */
export function sameName(context: InstructionContext, text: string): string {
  return stepName(context.stage.counter, text, nameFacts(context))
}

function nameFacts(context: InstructionContext): { platform: Platform; variables: StageState['variables']; onbuild: boolean } {
  return { platform: platformOfStage(context), variables: context.stage.variables, onbuild: context.command.onbuild }
}

/** The instruction for its step's name. */
export function shownText({ source }: InstructionBase, { stage, conversion }: InstructionContext): string {
  return displayText(source, stage.variables, { escape: conversion.definition.dockerfile.escape, effort: conversion.effort })
}
