import { invalidArgument } from '#errors'
import { familiarName, familiarString } from './reference.ts'
import type { Reference } from './reference.ts'

/**
 * Whether a shell pattern (`alp*`, `reg:5000/*:1`) matches a reference, with or without its tag, both in familiar form. `*` and `?` do not
 * match a slash. Source: distribution/reference v0.6.0 helpers.go FamiliarMatch. Throws INVALID_ARGUMENT for a malformed pattern.
 */
export function compileReferencePattern(pattern: string): (reference: Reference) => boolean {
  const expression = compile(pattern)
  return (reference) => expression.test(familiarString(reference)) || expression.test(familiarName(reference))
}

/** Go's path.Match as a regular expression. */
function compile(pattern: string): RegExp {
  let source = ''
  for (let i = 0; i < pattern.length; i++) {
    const character = pattern.charAt(i)
    if (character === '*') source += '[^/]*'
    else if (character === '?') source += '[^/]'
    else if (character === '[') {
      const end = pattern.indexOf(']', i + 2)
      if (end < 0) throw invalidArgument('syntax error in pattern')
      const negated = pattern.charAt(i + 1) === '^'
      source += `[${negated ? '^' : ''}${pattern.slice(i + (negated ? 2 : 1), end).replaceAll(/[\\\]^[]/g, '\\$&')}]`
      i = end
    } else if (character === '\\') {
      i++
      if (i === pattern.length) throw invalidArgument('syntax error in pattern')
      source += RegExp.escape(pattern.charAt(i))
    } else source += RegExp.escape(character)
  }
  try {
    // Several stars in a row would make the expression engine try every split.
    return new RegExp(`^${source.replaceAll(/(?:\[\^\/\]\*){2,}/g, '[^/]*')}$`)
  } catch (cause) {
    throw invalidArgument('syntax error in pattern', cause)
  }
}
