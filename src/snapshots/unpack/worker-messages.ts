/** What the pool and its workers say to each other. */

import { EngineError } from '#errors'
import type { ErrorCode } from '#errors'
import type { AnyResult, Job } from './job.ts'

/** What a worker is told: a job when it has none, to give up the one it has, and what has become of a part that it wanted to share. */
export type WorkerRequest = { kind: 'job'; job: Job } | { kind: 'abort' } | ({ kind: 'shared'; id: number } & SharedOutcome)

export type SharedOutcome = { outcome: 'refused' } | { outcome: 'done'; result: unknown } | ({ outcome: 'failed' } & Failure)

/** What a worker says about its job. */
export type WorkerMessage =
  | { kind: 'progress'; read: number }
  | { kind: 'share'; id: number; task: string; input: unknown }
  | { kind: 'done'; result: AnyResult }
  | ({ kind: 'failed' } & Failure)

/** Error classes do not survive the way between threads. */
export interface Failure {
  code: ErrorCode | undefined
  message: string
  stack: string | undefined
}

export function failureOf(error: unknown): Failure {
  const { message, stack } = error instanceof Error ? error : new Error(String(error))
  return { code: error instanceof EngineError ? error.code : undefined, message, stack }
}

export function revive({ code, message, stack }: Failure): Error {
  const error = code === undefined ? new Error(message) : new EngineError(code, message)
  if (stack !== undefined) error.stack = stack
  return error
}
