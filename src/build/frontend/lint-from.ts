import { expandWord } from '#dockerfile'
import type { FromInstruction } from '#dockerfile'
import { formatPlatform, parseReference } from '#oci'
import type { Platform } from '#oci'
import { lint } from './conversion.ts'
import type { Conversion } from './conversion.ts'
import type { Environment } from './environment.ts'
import { globalArguments } from './global-arguments.ts'
import { isSameMachine } from './platforms.ts'
import { nearest } from './suggestion.ts'

/** Lint rules about FROM that need arguments' values. Source: moby/buildkit dockerfile2llb/validations.go. */

/** UndefinedArgInFrom. */
export function lintUndefinedInFrom(unset: ReadonlySet<string>, from: FromInstruction, conversion: Conversion): void {
  if (unset.size === 0) return
  const { variables, notes } = conversion.globals
  const known = new Set([...variables.names(), ...notes.keys()])
  for (const name of unset) {
    if (known.has(name)) continue
    lint(conversion, 'UndefinedArgInFrom', () => [name, nearest(name, [...known])], from.range)
  }
}

/** InvalidBaseImagePlatform. */
export function lintBasePlatform(
  image: string,
  wanted: Platform,
  got: Platform,
  { range }: { range: FromInstruction['range'] | undefined },
  conversion: Conversion,
): void {
  if (isSameMachine(wanted, got)) return
  lint(conversion, 'InvalidBaseImagePlatform', [image, formatPlatform(wanted), formatPlatform(got)], range)
}

/** InvalidDefaultArgInFrom: the Dockerfile should also build when no argument is given. */
export function lintDefaultArguments(automatic: Environment, conversion: Conversion): void {
  const { dockerfile, file } = conversion.definition
  const { effort } = conversion
  try {
    const { variables } = globalArguments(dockerfile, file, automatic, new Map(), effort)
    for (const { from } of dockerfile.stages) {
      const { text } = expandWord(from.image, variables, { escape: dockerfile.escape, effort })
      if (!isReference(text)) lint(conversion, 'InvalidDefaultArgInFrom', [from.image], from.range)
    }
  } catch {
    // What is wrong with an expression is told when it is read with the arguments that were given.
  }
}

function isReference(text: string): boolean {
  try {
    parseReference(text)
    return true
  } catch {
    return false
  }
}
