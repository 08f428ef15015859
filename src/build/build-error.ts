import { codeOf, EngineError, type ErrorCode } from '#errors'
import type { Digest } from '#oci'
import type { SourceRange } from './graph/types.ts'
import type { FailedStep } from './types.ts'

export interface BuildErrorFacts {
  /** Where in the Dockerfile it is. */
  source?: SourceRange
  /** The step it happened in. */
  vertex?: Digest
  /** What a debugger needs to enter the state before the step. */
  step?: FailedStep
  cause?: unknown
}

/** A build failed, with what a client needs to show where. The message is BuildKit's, without the words `failed to solve: ` in front. */
export class BuildError extends EngineError {
  readonly source: SourceRange | undefined
  readonly vertex: Digest | undefined
  readonly step: FailedStep | undefined

  constructor(code: ErrorCode, message: string, facts: BuildErrorFacts = {}) {
    super(code, message, { cause: facts.cause })
    this.name = 'BuildError'
    this.source = facts.source
    this.vertex = facts.vertex
    this.step = facts.step
  }

  /** `error` with the same text, and with what it did not know yet. */
  static from(error: unknown, facts: Omit<BuildErrorFacts, 'cause'>): BuildError {
    const known = error instanceof BuildError ? error : undefined
    const message = error instanceof Error ? error.message : String(error)
    return new BuildError(codeOf(error), message, {
      ...optional('source', known?.source ?? facts.source),
      ...optional('vertex', known?.vertex ?? facts.vertex),
      ...optional('step', known?.step ?? facts.step),
      cause: error,
    })
  }
}

function optional<K extends string, V>(name: K, value: V | undefined): { [name in K]?: V } {
  return (value === undefined ? {} : { [name]: value }) as { [name in K]?: V }
}

/** Lines of context that are shown with a range, in all; a single line gets more. */
const CONTEXT = { range: 2, line: 4 }
const RULE = '--------------------'

/**
 * The lines of a Dockerfile that an error is about, as buildx prints them; empty when the range is outside the file.
 *
 * ```
 * Dockerfile:2
 * --------------------
 *    1 |     FROM alpine
 *    2 | >>> RUN exit 3
 *    3 |
 * --------------------
 * ```
 */
export function sourceExcerpt({ file, start, end }: SourceRange): string {
  const lines = file.text.split('\n')
  if (start < 1 || start > lines.length) return ''
  const last = Math.min(Math.max(start, end), lines.length)
  const { from, to } = withContext(start, last, lines.length)
  const shown = lines.slice(from - 1, to).map((line, index) => {
    const number = from + index
    return ` ${String(number).padStart(3)} | ${number >= start && number <= last ? '>>>' : '   '} ${line}`
  })
  return [`${file.name}:${start}`, RULE, ...shown, RULE, ''].join('\n')
}

/** Widens the range by turns above and below. Source: moby/buildkit solver/errdefs/source.go: each turn counts as one line more. */
function withContext(start: number, end: number, count: number): { from: number; to: number } {
  const limit = start === end ? CONTEXT.line : CONTEXT.range
  let from = start
  let to = end
  for (let padding = 0; padding < limit; padding++) {
    if (from > 1) {
      from--
      padding++
    }
    if (to < count) {
      to++
      padding++
    }
  }
  return { from, to }
}
