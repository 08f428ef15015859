import { parseDockerfile } from '#dockerfile'
import { BuildError } from '../build-error.ts'

/** An instruction, and its place among all. */
export interface FailedInstruction {
  readonly number: number
  readonly total: number
  readonly text: string
}

/**
 * The instruction that an error is about, where it came before the build's steps were known: a missing base image, an invalid port. undefined: it is about none,
 * or the Dockerfile cannot be read. dockerd answers the latter with a status, the former in the stream. `labels`: how many the client gives.
 */
export function failedInstruction(error: unknown, labels: number): FailedInstruction | undefined {
  const place = error instanceof BuildError ? error.source : undefined
  if (place === undefined) return undefined
  const instructions = instructionsOf(place.file.text)
  const index = instructions.findIndex(({ range }) => range.start.line === place.start)
  const found = instructions[index]
  return found && { number: index + 1, total: instructions.length + labels, text: found.source }
}

function instructionsOf(text: string): { source: string; range: { start: { line: number } } }[] {
  try {
    const { globalArgs, stages } = parseDockerfile(text, '')
    return [...globalArgs, ...stages.flatMap(({ from, instructions }) => [from, ...instructions])]
  } catch {
    // It is what the error is about.
    return []
  }
}
