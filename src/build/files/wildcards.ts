import { closeSync, constants, lstatSync, openSync, readdirSync } from 'node:fs'
import { decodeName } from '#archive'
import { invalidArgument } from '#errors'
import { pathIn } from '#snapshots'
import { findPath, names } from './find-path.ts'

const DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW

/** Whether a path is a pattern. A backslash takes the meaning from what follows. */
export function hasWildcard(path: string): boolean {
  return /^(?:[^\\*?[]|\\.)*[*?[]/s.test(path)
}

/** Whether a name is meant. */
type NameTest = (name: string) => boolean
type Token = 'star' | ((character: number) => boolean)

/**
 * A test for one component of a path. No regular expression: with many stars one takes for ever on a long name. Throws INVALID_ARGUMENT. Source: Go
 * path/filepath, Match.
 */
export function compileComponent(pattern: string): NameTest {
  const characters = Array.from(pattern)
  const tokens: Token[] = []

  /** The next character, or the one behind a backslash. */
  function literal(): number {
    const character = characters.shift()
    const plain = character === '\\' ? characters.shift() : character
    if (plain === undefined) throw malformed(pattern)
    return codePoint(plain)
  }

  function characterClass(): Token {
    const negated = characters[0] === '^'
    if (negated) characters.shift()
    const ranges: [low: number, high: number][] = []
    do {
      if (characters[0] === '-' || characters[0] === ']') throw malformed(pattern)
      const low = literal()
      const isRange = characters[0] === '-'
      if (isRange) characters.shift()
      ranges.push([low, isRange ? literal() : low])
    } while (characters[0] !== ']')
    characters.shift()
    return (character) => ranges.some(([low, high]) => low <= character && character <= high) !== negated
  }

  function exactly(expected: number): Token {
    return (character) => character === expected
  }

  while (characters.length > 0) {
    if (characters[0] === '*') tokens.push((characters.shift(), 'star'))
    else if (characters[0] === '?') tokens.push((characters.shift(), () => true))
    else if (characters[0] === '[') tokens.push((characters.shift(), characterClass()))
    else tokens.push(exactly(literal()))
  }
  return (name) => matchesName(tokens, Array.from(name, codePoint))
}

/** Only the last star is tried again with more: what those before it took is as good as anything. Time: length of the name × length of the pattern. */
function matchesName(tokens: readonly Token[], name: readonly number[]): boolean {
  let place = 0
  let afterStar: number | undefined
  let start = 0
  for (let at = 0; at < name.length;) {
    const token = tokens[place]
    if (token === 'star') {
      afterStar = ++place
      start = at
    } else if (token?.(name[at] ?? 0) === true) {
      place++
      at++
    } else if (afterStar !== undefined) {
      place = afterStar
      at = ++start
    } else return false
  }
  return tokens.slice(place).every((token) => token === 'star')
}

function codePoint(character: string): number {
  return character.codePointAt(0) ?? 0
}

function malformed(pattern: string): Error {
  return invalidArgument(`syntax error in pattern: ${JSON.stringify(pattern)}`)
}

/**
 * Paths inside a root that a pattern names, in order of names. Links on the way to its first wildcard are followed inside the root, those behind it are not (as
 * with BuildKit, whose walk goes into real directories only).
 */
export function resolveWildcards(rootFd: number, pattern: string): string[] {
  const components = names(pattern)
  const first = components.findIndex(hasWildcard)
  if (first < 0) return [pattern]
  using base = findPath(rootFd, components.slice(0, first).join('/'), { follow: true })
  if (base.stat?.isDirectory() !== true) return []
  const tests = components.slice(first).map(compileComponent)
  const fd =
    base.name === '' ? openSync(`/proc/self/fd/${base.directoryFd}/.`, DIRECTORY) : openSync(pathIn(base.directoryFd, base.name), DIRECTORY)
  const prefix = base.path === '/' ? '' : base.path
  return [...matches(fd, prefix, tests)]
}

/** Takes over `fd`. */
function* matches(fd: number, prefix: string, [test, ...rest]: readonly NameTest[]): Generator<string, void, void> {
  try {
    if (test === undefined) return
    const entries = readdirSync(`/proc/self/fd/${fd}`, { encoding: 'buffer' }).map(decodeName)
    for (const name of entries.filter(test).sort()) {
      const path = `${prefix}/${name}`
      if (rest.length === 0) yield path
      else if (lstatSync(pathIn(fd, name)).isDirectory()) yield* matches(openSync(pathIn(fd, name), DIRECTORY), path, rest)
    }
  } finally {
    closeSync(fd)
  }
}
