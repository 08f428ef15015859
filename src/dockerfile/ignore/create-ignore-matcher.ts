import { posix } from 'node:path'
import { DockerfileError } from '../dockerfile-error.ts'
import type { IgnoreMatcher } from '../types.ts'
import { compilePathPattern } from './ignore-pattern.ts'
import type { PathTest } from './ignore-pattern.ts'

/** Patterns in one file; each path is compared with all of them. */
const MAX_PATTERNS = 10_000

/** Directories of which the matching rules are remembered. */
const MAX_REMEMBERED = 256

/** Linux has no longer paths; in a Dockerfile anything may be written. */
const MAX_PATH = 4096

/**
 * Places of patterns that are tried: for one path a second of work at most, for each of many some milliseconds. Attack: five thousand patterns `*a*a*a…b*`, and files called
 * `aaaa…`; each is answered in bounded time, but all of them in hours.
 */
const MAX_STEPS = { atOnce: 20_000_000, perPath: 50_000 }

interface Rule {
  readonly text: string
  readonly matches: PathTest
  readonly exception: boolean
}

/**
 * A matcher for patterns of `parseIgnoreFile`, `COPY --exclude` and the like. Throws {@link DockerfileError} for a malformed one, and
 * when asked about paths that take too much work. Source: moby/patternmatcher, MatchesOrParentMatches.
 */
export function createIgnoreMatcher(patterns: readonly string[]): IgnoreMatcher {
  if (patterns.length > MAX_PATTERNS) throw new DockerfileError(`more than ${MAX_PATTERNS} ignore patterns`)
  let left = MAX_STEPS.atOnce
  const spend = (steps: number): void => {
    left -= steps
    if (left < 0) throw new DockerfileError('ignore patterns take too much work')
  }
  const rules = patterns
    .map((pattern) => pattern.trim())
    .filter((pattern) => pattern !== '')
    .map((pattern) => parseRule(pattern, spend))
  const hasExceptions = rules.some(({ exception }) => exception)
  const above = rememberDirectories(rules)
  const exceptions = rules.filter((rule, index) => rule.exception && !isUndone(rule, rules.slice(index + 1)))
  const mayExceptBelow = (directory: string): boolean => exceptions.some((rule) => mayMatchBelow(rule, directory))
  const ignores = (path: string): boolean => {
    left = Math.min(left + MAX_STEPS.perPath, MAX_STEPS.atOnce)
    return path.length <= MAX_PATH && decide(rules, path, above(path))
  }
  return {
    patterns: rules.map(({ text }) => text),
    hasExceptions,
    ignores,
    prunes: (directory) => ignores(directory) && !mayExceptBelow(directory),
    mayExceptBelow,
  }
}

function parseRule(text: string, spend: (steps: number) => void): Rule {
  const exception = text.startsWith('!')
  const written = exception ? text.slice(1) : text
  if (written === '') throw new DockerfileError('illegal exclusion pattern: "!"')
  const cleaned = posix.normalize(written).replace(/(?<=.)\/$/, '')
  return { text: (exception ? '!' : '') + cleaned, matches: compilePathPattern(cleaned, spend), exception }
}

/** The last rule that matches the path or a directory above it. `above`: 1 for each rule that matches such a directory. */
function decide(rules: readonly Rule[], path: string, above: Uint8Array): boolean {
  let ignored = false
  for (const [index, { matches, exception }] of rules.entries()) {
    if (exception === ignored && (above[index] === 1 || matches(path))) ignored = !exception
  }
  return ignored
}

/** Gives, for a path, the rules that match a directory above it. Trees are walked directory by directory, so the last ones are remembered. */
function rememberDirectories(rules: readonly Rule[]): (path: string) => Uint8Array {
  const none = new Uint8Array(rules.length)
  let known = new Map<string, Uint8Array>()
  const matchesOf = (directory: string, further: Uint8Array): Uint8Array => {
    const found = Uint8Array.from(rules, ({ matches }, index) => (further[index] === 1 || matches(directory) ? 1 : 0))
    if (known.size >= MAX_REMEMBERED) known = new Map()
    known.set(directory, found)
    return found
  }
  return (path) => {
    const remembered = known.get(path.slice(0, Math.max(path.lastIndexOf('/'), 0)))
    if (remembered !== undefined) return remembered
    let found: Uint8Array = none
    for (let slash = path.indexOf('/'); slash > 0; slash = path.indexOf('/', slash + 1)) {
      const directory = path.slice(0, slash)
      found = known.get(directory) ?? matchesOf(directory, found)
    }
    return found
  }
}

/** Whether one of `later` ignores again what the exception names, and all that is below. Of wildcards it cannot be told. */
function isUndone({ text }: Rule, later: readonly Rule[]): boolean {
  const path = text.slice(1)
  if (/[*?[\\]/.test(path)) return false
  const places = path.split('/').map((_, index, parts) => parts.slice(0, index + 1).join('/'))
  return later.some(({ exception, matches }) => !exception && places.some(matches))
}

/** Whether an exception could name something inside of `directory`. What holds a wildcard always could. */
function mayMatchBelow({ text }: Rule, directory: string): boolean {
  if (directory === '') return true
  const literal = text.slice(1).split(/[*?[\\]/, 1)[0] ?? ''
  if (literal !== text.slice(1)) return literal.startsWith(`${directory}/`) || `${directory}/`.startsWith(literal)
  return literal.startsWith(`${directory}/`)
}
