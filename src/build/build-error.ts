import { codeOf, EngineError, firstError, type ErrorCode } from '#errors'
import type { Digest } from '#oci'
import type { SourceRange } from './graph/types.ts'
import type { FailedStep } from './types.ts'

export interface BuildErrorFacts {
  /** Where in the Dockerfile it is. */
  source?: SourceRange | undefined
  /** The step it happened in. */
  vertex?: Digest | undefined
  /** What a debugger needs to enter the state before the step. */
  step?: FailedStep | undefined
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
    const first = firstError(error)
    const known = first instanceof BuildError ? first : undefined
    const message = first instanceof Error ? first.message : String(first)
    return new BuildError(codeOf(first), message, {
      source: known?.source ?? facts.source,
      vertex: known?.vertex ?? facts.vertex,
      step: known?.step ?? facts.step,
      cause: error,
    })
  }
}
