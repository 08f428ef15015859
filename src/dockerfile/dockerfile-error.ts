import { EngineError } from '#errors'
import type { TextRange } from './ranges.ts'

/** INVALID_ARGUMENT about a Dockerfile, with the place where there is one. The message is Docker's: `dockerfile parse error on line N: …` where Docker says so. */
export class DockerfileError extends EngineError {
  readonly range: TextRange | undefined

  constructor(message: string, range?: TextRange, options?: { cause?: unknown }) {
    super('INVALID_ARGUMENT', message, options)
    this.name = 'DockerfileError'
    this.range = range
  }
}

/** Words that cannot be read, found before it is asked what they mean: Docker does not put `dockerfile parse error on line N` in front. */
export class WordsError extends DockerfileError {}
