import type { EnvInstruction, KeyValue, LabelInstruction } from '#dockerfile'
import { addMembers } from '#lib'
import { expandText, noteMetadata } from './instruction-context.ts'
import type { InstructionContext } from './instruction-context.ts'

/** ENV. All values see the variables as they were before the instruction. */
export function dispatchEnv({ entries }: EnvInstruction, context: InstructionContext): void {
  const { stage } = context
  const pairs = expandPairs(entries, context)
  for (const [name, value] of pairs) {
    stage.image.environment.set(name, value)
    stage.variables.set(name, value)
  }
  noteMetadata(context, `ENV ${pairTexts(pairs)}`)
}

export function dispatchLabel({ entries }: LabelInstruction, context: InstructionContext): void {
  const pairs = expandPairs(entries, context)
  addMembers((context.stage.image.config.Labels ??= {}), pairs)
  noteMetadata(context, `LABEL ${pairTexts(pairs)}`)
}

function expandPairs(entries: readonly KeyValue[], context: InstructionContext): [key: string, value: string][] {
  return entries.map(({ key, value }) => [expandText(key, context), expandText(value, context)])
}

function pairTexts(pairs: readonly (readonly [string, string])[]): string {
  return pairs.map(([key, value]) => `${key}=${value}`).join(' ')
}
