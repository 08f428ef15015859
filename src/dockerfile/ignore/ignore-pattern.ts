/**
 * One pattern of an ignore file against paths, with Go's path.Match rules and `**`. No regular expressions: patterns come from a client.
 * Source: moby/patternmatcher; Go's documentation of path.Match.
 */

import { DockerfileError } from '../dockerfile-error.ts'

type Token =
  | { readonly kind: 'character'; readonly character: string }
  | { readonly kind: 'any' }
  | { readonly kind: 'star' }
  /** Any text with slashes. */
  | { readonly kind: 'globstar' }
  /** Nothing, or any text that ends with a slash. */
  | { readonly kind: 'directories' }
  | { readonly kind: 'class'; readonly negated: boolean; readonly ranges: readonly (readonly [low: string, high: string])[] }

/** Whether a whole path matches. */
export type PathTest = (path: string) => boolean

/** Throws {@link DockerfileError} for an open bracket and a backslash at the end. `spend` hears how many places of the pattern a test has tried; it may throw. */
export function compilePathPattern(pattern: string, spend: (steps: number) => void): PathTest {
  const tokens = parseTokens(pattern)
  const head = textOf(leadingCharacters(tokens))
  if (tokens.every(({ kind }) => kind === 'character')) return (path) => path === head
  const tail = textOf(leadingCharacters(tokens.toReversed()).toReversed())
  // Most paths are told by these two, which costs a hundredth.
  return (path) => path.startsWith(head) && path.endsWith(tail) && matches(tokens, path, spend)
}

/** What stands in front of the first wildcard. */
function leadingCharacters(tokens: readonly Token[]): readonly Token[] {
  const wildcard = tokens.findIndex(({ kind }) => kind !== 'character')
  return wildcard < 0 ? tokens : tokens.slice(0, wildcard)
}

function textOf(tokens: readonly Token[]): string {
  return tokens.map((token) => (token.kind === 'character' ? token.character : '')).join('')
}

function parseTokens(pattern: string): Token[] {
  const characters = Array.from(pattern)
  const tokens: Token[] = []
  for (let i = 0; i < characters.length; i++) {
    const character = characters[i] ?? ''
    if (character === '*' && characters[i + 1] === '*') {
      const start = i
      i += characters[i + 2] === '/' ? 2 : 1
      // At the end it is everything below. `**name`, without slash and other wildcards, also means names that end so. Elsewhere directories are skipped.
      const isSuffix = start === 0 && i === 1 && !/[*?[\]\\]/.test(pattern.slice(2))
      tokens.push({ kind: isSuffix || i === characters.length - 1 ? 'globstar' : 'directories' })
    } else if (character === '*') tokens.push({ kind: 'star' })
    else if (character === '?') tokens.push({ kind: 'any' })
    else if (character === '[') {
      const [token, end] = readClass(characters, i, pattern)
      tokens.push(token)
      i = end
    } else if (character === '\\') {
      const escaped = characters[++i]
      if (escaped === undefined) throw syntaxError(pattern)
      tokens.push({ kind: 'character', character: escaped })
    } else tokens.push({ kind: 'character', character })
  }
  return tokens
}

/** Time: length of the path × length of the pattern, whatever they are. */
function matches(tokens: readonly Token[], path: string, spend: (steps: number) => void): boolean {
  // The tokens that may come next, and the `directories` that are being passed through.
  let places = new Set<number>()
  const passing = new Set<number>()
  reach(tokens, 0, places, passing)
  for (const character of path) {
    spend(places.size + passing.size)
    const next = new Set<number>()
    if (character === '/') for (const place of [...passing]) reach(tokens, place + 1, next, passing)
    for (const place of places) {
      const token = tokens[place]
      if (token === undefined || token.kind === 'directories') continue
      if (token.kind === 'globstar' || (token.kind === 'star' && character !== '/')) reach(tokens, place, next, passing)
      else if (token.kind !== 'star' && accepts(token, character)) reach(tokens, place + 1, next, passing)
    }
    places = next
    if (places.size === 0 && passing.size === 0) return false
  }
  return places.has(tokens.length)
}

/** Adds `place`, and what is behind it as far as tokens may stand for nothing. */
function reach(tokens: readonly Token[], place: number, places: Set<number>, passing: Set<number>): void {
  for (let at = place; !places.has(at); at++) {
    places.add(at)
    const kind = tokens[at]?.kind
    if (kind === 'directories') passing.add(at)
    if (kind !== 'star' && kind !== 'globstar' && kind !== 'directories') return
  }
}

function accepts(token: Extract<Token, { kind: 'character' | 'any' | 'class' }>, character: string): boolean {
  if (token.kind === 'character') return token.character === character
  if (character === '/') return false
  return token.kind === 'any' || token.ranges.some(([low, high]) => low <= character && character <= high) !== token.negated
}

/** `[a-z]`, `[^ab]`. */
function readClass(characters: readonly string[], start: number, pattern: string): [token: Token, end: number] {
  let i = start + 1
  const negated = characters[i] === '^'
  if (negated) i++
  const ranges: [string, string][] = []
  const readOne = (): string => {
    if (characters[i] === '\\') i++
    const character = characters[i++]
    if (character === undefined || (character === '-' && characters[i - 2] !== '\\')) throw syntaxError(pattern)
    return character
  }
  while (characters[i] !== ']' || ranges.length === 0) {
    if (characters[i] === ']') throw syntaxError(pattern)
    const low = readOne()
    if (characters[i] !== '-') {
      ranges.push([low, low])
      continue
    }
    i++
    const high = readOne()
    // `[Local-Only]` is no range from l to O.
    if (low > high) throw syntaxError(pattern)
    ranges.push([low, high])
  }
  return [{ kind: 'class', negated, ranges }, i]
}

function syntaxError(pattern: string): DockerfileError {
  return new DockerfileError(`syntax error in pattern: ${JSON.stringify(pattern)}`)
}
