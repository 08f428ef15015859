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

/** A test for one component of a path. Throws INVALID_ARGUMENT. Source: Go path/filepath, Match. */
export function compileComponent(pattern: string): RegExp {
  const characters = Array.from(pattern)
  let source = ''

  /** The next character, or the one behind a backslash. */
  function literal(): string {
    const character = characters.shift()
    const plain = character === '\\' ? characters.shift() : character
    if (plain === undefined) throw malformed(pattern)
    return escape(plain)
  }

  function characterClass(): string {
    const negated = characters[0] === '^'
    if (negated) characters.shift()
    let ranges = ''
    do {
      if (characters[0] === '-' || characters[0] === ']') throw malformed(pattern)
      const low = literal()
      if (characters[0] !== '-') ranges += low
      else {
        characters.shift()
        const high = literal()
        // One that ends before it begins holds nothing; for RegExp it would be an error.
        if (low <= high) ranges += `${low}-${high}`
      }
    } while (characters[0] !== ']')
    characters.shift()
    return negated ? `[^/${ranges}]` : `[${ranges}]`
  }

  while (characters.length > 0) {
    if (characters[0] === '*') source += (characters.shift(), '[^/]*')
    else if (characters[0] === '?') source += (characters.shift(), '[^/]')
    else if (characters[0] === '[') source += (characters.shift(), characterClass())
    else source += literal()
  }
  return new RegExp(`^${source}$`, 'su')
}

/** In eight digits, so that two of them compare as the characters do. */
function escape(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16).padStart(8, '0')}}`
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
function* matches(fd: number, prefix: string, [test, ...rest]: readonly RegExp[]): Generator<string, void, void> {
  try {
    if (test === undefined) return
    const entries = readdirSync(`/proc/self/fd/${fd}`, { encoding: 'buffer' }).map(decodeName)
    for (const name of entries.filter((entry) => test.test(entry)).sort()) {
      const path = `${prefix}/${name}`
      if (rest.length === 0) yield path
      else if (lstatSync(pathIn(fd, name)).isDirectory()) yield* matches(openSync(pathIn(fd, name), DIRECTORY), path, rest)
    }
  } finally {
    closeSync(fd)
  }
}
