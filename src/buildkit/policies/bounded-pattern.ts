import { createContext, runInContext } from 'node:vm'
import { EngineError, invalidArgument, notImplemented } from '#errors'

/** Characters. */
const MAX_PATTERN = 4096
/** Milliseconds, of all patterns of a policy together. */
const BUDGET = 500

export interface PatternMatch {
  start: number
  end: number
  /** By number and by name; 0: all of it. */
  groups: Record<string, string | undefined>
}

interface Raw {
  index: number
  found: (string | undefined)[]
  groups: Record<string, string | undefined>
}

/** What may not be in a pattern of Go's: it would be something else there, or an error. Here a letter behind a backslash would be itself, and never match what is meant. */
const FOREIGN = /\(\?(?:=|!|<=|<!)|\\[1-9kceghijlmoquyFGHIJKLMNORTUVXYZ]/
/** What Go has and this does not, or reads as something else: `[]a]` are two characters there, and none here. */
const MISSING = /\[\[:|\[\^?\]|\\[CEQa]|\\0|\\x\{|\\[pP]|\(\?[a-zA-Z-]*[U-]/

/**
 * Patterns that clients write. One can be made to take for ever: they are matched where Node can stop them, and all of a policy share half a second. The language
 * is Go's (RE2) as far as both agree; what does not is refused.
 */
export class BoundedPatterns {
  readonly #context = createContext(Object.create(null) as object)
  #left = BUDGET

  /** All places where it matches. Throws INVALID_ARGUMENT for what is no pattern, RESOURCE_EXHAUSTED for one that takes too long, NOT_IMPLEMENTED. */
  matchAll(pattern: string, text: string): PatternMatch[] {
    const started = performance.now()
    try {
      return this.#run(pattern, text).map(({ index, found, groups }) => ({
        start: index,
        end: index + (found[0]?.length ?? 0),
        groups: { ...Object.fromEntries(found.entries()), ...groups },
      }))
    } finally {
      this.#left -= performance.now() - started
    }
  }

  #run(pattern: string, text: string): Raw[] {
    const { source, flags } = translate(pattern)
    if (this.#left < 1) throw tooLong(pattern)
    const [p, f, t] = [source, flags, text].map((value) => JSON.stringify(value))
    const code = `JSON.stringify([...${t}.matchAll(new RegExp(${p}, ${f}))].map((m) => ({ index: m.index, found: [...m], groups: m.groups ?? {} })))`
    try {
      return JSON.parse(String(runInContext(code, this.#context, { timeout: Math.ceil(this.#left) }))) as Raw[]
    } catch (error) {
      if ((error as { code?: string }).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw tooLong(pattern)
      throw invalidArgument(`invalid regex ${JSON.stringify(pattern)}: ${(error as Error).message}`, error)
    }
  }
}

function translate(pattern: string): { source: string; flags: string } {
  if (pattern.length > MAX_PATTERN) throw invalidArgument(`invalid regex: it has more than ${MAX_PATTERN} characters`)
  // Two backslashes are one, and say nothing about what is behind them.
  const bare = pattern.replaceAll('\\\\', '')
  if (FOREIGN.test(bare)) throw invalidArgument(`invalid regex ${JSON.stringify(pattern)}: invalid or unsupported Perl syntax`)
  if (MISSING.test(bare)) throw notImplemented(`the regex ${JSON.stringify(pattern)} of the source policy is not supported`)
  const [head = '', flags = ''] = /^\(\?([ims]+)\)/.exec(pattern) ?? []
  const source = pattern
    .slice(head.length)
    .replaceAll('(?P<', '(?<')
    .replace(/\\(?:\\|A|z)/g, (escape) => ({ '\\A': '^', '\\z': '$' })[escape] ?? escape)
  return { source, flags: `g${flags}` }
}

function tooLong(pattern: string): EngineError {
  return new EngineError('RESOURCE_EXHAUSTED', `the regex ${JSON.stringify(pattern)} of the source policy takes too long`)
}
