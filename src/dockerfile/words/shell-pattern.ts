/**
 * Patterns of `${name#pattern}`, `%` and `/pattern/replacement`: `*` any text, `?` any character, both within one line; `\` takes their meaning away.
 * No regular expressions: those with many stars take for ever on hostile values.
 * Source: POSIX 2.6.2 as moby/buildkit frontend/dockerfile/shell/lex.go reads it (without bracket expressions).
 */

import { DockerfileError } from '../dockerfile-error.ts'
import { Effort } from '../effort.ts'

/** A character, or one of the two wildcards. */
type Token = { readonly character: string } | 'any' | 'star'

/** Longer ones are refused: a match costs length of the value × length of the pattern; to replace, all places are tried. */
const MAX_PATTERN = 1024

/** `value` without the shortest (or longest) beginning that the pattern matches. */
export function trimPrefix(value: string, pattern: string, longest: boolean, effort: Effort = new Effort()): string {
  const characters = Array.from(value)
  const end = matchEnd(characters, 0, segments(parsePattern(pattern)), longest, effort)
  return end === undefined ? value : characters.slice(end).join('')
}

/** `value` without the shortest (or longest) end that the pattern matches. */
export function trimSuffix(value: string, pattern: string, longest: boolean, effort: Effort = new Effort()): string {
  const characters = Array.from(value).reverse()
  const end = matchEnd(characters, 0, segments(parsePattern(pattern).reverse()), longest, effort)
  return end === undefined ? value : characters.slice(end).reverse().join('')
}

/** `value` with the first (or every) longest match replaced. */
export function replaceMatches(value: string, pattern: string, replacement: string, all: boolean, effort: Effort = new Effort()): string {
  const characters = Array.from(value)
  const parts = segments(parsePattern(pattern))
  let result = ''
  let afterMatch = false
  for (let position = 0; position <= characters.length;) {
    const end = matchEnd(characters, position, parts, true, effort)
    // An empty match directly behind another does not count: as in Go's regexp.
    const empty = end === position
    if (end !== undefined && !(empty && afterMatch)) {
      effort.spend(replacement.length)
      result += replacement
      if (!all) return result + characters.slice(end).join('')
    }
    if (end === undefined || empty) result += characters[position++] ?? ''
    else position = end
    afterMatch = end !== undefined && !empty
  }
  return result
}

function parsePattern(pattern: string): Token[] {
  if (pattern.length > MAX_PATTERN) throw new DockerfileError(`pattern of more than ${MAX_PATTERN} characters in substitution`)
  const tokens: Token[] = []
  const characters = Array.from(pattern)
  for (let i = 0; i < characters.length; i++) {
    const character = characters[i] ?? ''
    if (character === '*') tokens.push('star')
    else if (character === '?') tokens.push('any')
    else if (character === '\\') {
      const next = characters[++i] ?? ''
      // What ends the expression is escaped only to get it through the lexer.
      if (!['*', '?', '\\', '}', '/'].includes(next)) {
        throw new DockerfileError(`invalid pattern (${pattern}) in substitution: invalid escape '\\${next}'`)
      }
      tokens.push({ character: next })
    } else tokens.push({ character })
  }
  return tokens
}

/** What stands between the stars; n stars make n+1 parts. */
function segments(tokens: readonly Token[]): Token[][] {
  const parts: Token[][] = [[]]
  for (const token of tokens) {
    if (token === 'star') parts.push([])
    else parts.at(-1)?.push(token)
  }
  return parts
}

/**
 * Where the shortest or longest match that begins at `start` ends. Each part is taken at its first place, which leaves most to those behind it; the longest
 * match takes the last part at its last place.
 */
function matchEnd(
  text: readonly string[],
  start: number,
  parts: readonly (readonly Token[])[],
  longest: boolean,
  effort: Effort,
): number | undefined {
  const [first = [], ...others] = parts
  effort.spend(first.length + 1)
  if (!matchesAt(text, start, first)) return undefined
  let position = start + first.length
  const last = others.pop()
  if (last === undefined) return position
  const newline = text.indexOf('\n', position)
  const limit = newline < 0 ? text.length : newline
  effort.spend(limit - position)
  for (const part of others) {
    const found = findPart(text, position, limit, part, 1, effort)
    if (found === undefined) return undefined
    position = found + part.length
  }
  const found = longest ? findPart(text, limit - last.length, position, last, -1, effort) : findPart(text, position, limit, last, 1, effort)
  return found === undefined ? undefined : found + last.length
}

/** Looks for `part` from `from` towards `to`; upwards it must end before `to`, downwards it must not begin before it. */
function findPart(
  text: readonly string[],
  from: number,
  to: number,
  part: readonly Token[],
  step: 1 | -1,
  effort: Effort,
): number | undefined {
  const lastPlace = step === 1 ? to - part.length : to
  for (let i = from; step === 1 ? i <= lastPlace : i >= lastPlace; i += step) {
    effort.spend(part.length + 1)
    if (matchesAt(text, i, part)) return i
  }
  return undefined
}

function matchesAt(text: readonly string[], position: number, part: readonly Token[]): boolean {
  if (position + part.length > text.length) return false
  return part.every((token, i) => {
    const character = text[position + i]
    if (token === 'any') return character !== '\n'
    return token !== 'star' && token.character === character
  })
}
