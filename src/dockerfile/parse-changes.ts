import { DockerfileError } from './dockerfile-error.ts'
import type { ChangeInstruction } from './instructions/types.ts'
import { parseRaw } from './parse-dockerfile.ts'
import { readSource } from './read-source.ts'
import type { EscapeCharacter } from './types.ts'

/** Source: moby daemon/builder/dockerfile/builder.go, validCommitCommands. */
const CHANGES: readonly string[] = [
  'cmd',
  'entrypoint',
  'env',
  'expose',
  'healthcheck',
  'label',
  'onbuild',
  'stopsignal',
  'user',
  'volume',
  'workdir',
] satisfies ChangeInstruction['kind'][]

/**
 * Reads a text of which each instruction changes an image's configuration only: `commit --change`, `import --change`. There may be none. Throws
 * {@link DockerfileError}; lines count in `text`.
 */
export function parseChanges(text: string): { escape: EscapeCharacter; instructions: ChangeInstruction[] } {
  const { escape, instructions } = readSource(text)
  // Docker looks at all names before it reads what any of them says.
  for (const { keyword, range } of instructions) {
    const name = keyword.toLowerCase()
    if (!CHANGES.includes(name)) throw new DockerfileError(`${name} is not a valid change command`, range)
  }
  return { escape, instructions: instructions.map((raw) => parseRaw(raw, escape) as ChangeInstruction) }
}
