import { posix } from 'node:path'
import { DockerfileError } from '../dockerfile-error.ts'
import type { IgnoreMatcher } from '../types.ts'
import { compilePathPattern } from './ignore-pattern.ts'
import type { PathTest } from './ignore-pattern.ts'

/** Patterns in one file; each path is compared with all of them. */
const MAX_PATTERNS = 10_000

interface Rule {
  readonly text: string
  readonly matches: PathTest
  readonly exception: boolean
}

/**
 * A matcher for patterns of `parseIgnoreFile`, `COPY --exclude` and the like. Throws {@link DockerfileError} for a malformed one.
 * Source: moby/patternmatcher, MatchesOrParentMatches.
 */
export function createIgnoreMatcher(patterns: readonly string[]): IgnoreMatcher {
  if (patterns.length > MAX_PATTERNS) throw new DockerfileError(`more than ${MAX_PATTERNS} ignore patterns`)
  const rules = patterns
    .map((pattern) => pattern.trim())
    .filter((pattern) => pattern !== '')
    .map(parseRule)
  const hasExceptions = rules.some(({ exception }) => exception)
  return {
    patterns: rules.map(({ text }) => text),
    hasExceptions,
    ignores: (path) => decide(rules, withParents(path)),
    prunes: (directory) => decide(rules, withParents(directory)) && !rules.some((rule) => rule.exception && mayMatchBelow(rule, directory)),
  }
}

function parseRule(text: string): Rule {
  const exception = text.startsWith('!')
  const written = exception ? text.slice(1) : text
  if (written === '') throw new DockerfileError('illegal exclusion pattern: "!"')
  const cleaned = posix.normalize(written).replace(/(?<=.)\/$/, '')
  return { text: (exception ? '!' : '') + cleaned, matches: compilePathPattern(cleaned), exception }
}

/** The last rule that matches the path or a directory above it. */
function decide(rules: readonly Rule[], paths: readonly string[]): boolean {
  let ignored = false
  for (const { matches, exception } of rules) {
    if (exception === ignored && paths.some(matches)) ignored = !exception
  }
  return ignored
}

/** `a/b/c` → `a/b/c`, `a`, `a/b`. */
function withParents(path: string): string[] {
  const paths = [path]
  for (let slash = path.indexOf('/'); slash > 0; slash = path.indexOf('/', slash + 1)) paths.push(path.slice(0, slash))
  return paths
}

/** Whether an exception could name something inside of `directory`. What holds a wildcard always could. */
function mayMatchBelow({ text }: Rule, directory: string): boolean {
  const literal = text.slice(1).split(/[*?[\\]/, 1)[0] ?? ''
  if (literal !== text.slice(1)) return literal.startsWith(`${directory}/`) || `${directory}/`.startsWith(literal)
  return literal.startsWith(`${directory}/`)
}
