import { EngineError } from '#errors'
import type { TextRange } from './ranges.ts'
import type { Dockerfile } from './types.ts'

/** Of a Dockerfile that cannot be read to its end: what is known of the part in front of the mistake. */
export type ReadPart = Pick<Dockerfile, 'directives' | 'checks' | 'findings'>

/** INVALID_ARGUMENT about a Dockerfile, with the place where there is one. The message is Docker's: `dockerfile parse error on line N: …` where Docker says so. */
export class DockerfileError extends EngineError {
  readonly range: TextRange | undefined
  /** Absent when not even directives could be read, and for what is found later. */
  readonly readPart: ReadPart | undefined

  constructor(message: string, range?: TextRange, options?: { cause?: unknown; readPart?: ReadPart }) {
    super('INVALID_ARGUMENT', message, options)
    this.name = 'DockerfileError'
    this.range = range
    this.readPart = options?.readPart
  }
}

/** Words that cannot be read, found before it is asked what they mean: Docker does not put `dockerfile parse error on line N` in front. */
export class WordsError extends DockerfileError {}
