import { parseInstruction } from '#dockerfile'

/** The names that an ARG declares; none of other instructions. */
export function argumentNames(text: string): string[] {
  if (!/^arg\s/i.test(text)) return []
  try {
    const instruction = parseInstruction(text)
    return instruction.kind === 'arg' ? instruction.args.map(({ name }) => name) : []
  } catch {
    // It was read with another escape character; a warning is worth no failure.
    return []
  }
}
