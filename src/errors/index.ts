/**
 * Errors of the engine: one class, a dozen codes.
 *
 * Domain code throws {@link EngineError} (or one of the short constructors below) with the text a Docker user expects to read.
 * The HTTP status is chosen once, in `server/http-status.ts`, from the code alone; nothing else may look at the message.
 */

/** Permanent names of the error classes; messages may change, these may not. */
export type ErrorCode =
  | 'INVALID_ARGUMENT'
  | 'UNAUTHORIZED'
  | 'FORBIDDEN'
  | 'NOT_FOUND'
  | 'CONFLICT'
  | 'NOT_MODIFIED'
  | 'NOT_IMPLEMENTED'
  | 'UNAVAILABLE'
  | 'CANCELLED'
  | 'RESOURCE_EXHAUSTED'
  | 'DATA_LOSS'
  | 'INTERNAL'

/** An error whose class decides what a caller does and whose message is meant for the user. */
export class EngineError extends Error {
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'EngineError'
    this.code = code
  }
}

/** A failed system call with its story: which call, which errno, on what. Throwers are `kernel/` and `runtime/`. */
export class SyscallError extends Error {
  readonly syscall: string
  /** Positive errno value, e.g. 2. */
  readonly errno: number
  /** Symbolic name, e.g. `ENOENT`. */
  readonly code: string
  readonly args: readonly (string | number)[]

  constructor(syscall: string, errno: number, code: string, description: string, args: readonly (string | number)[] = []) {
    super(`${syscall}${args.length > 0 ? ` ${args.join(' ')}` : ''}: ${description}`)
    this.name = 'SyscallError'
    this.syscall = syscall
    this.errno = errno
    this.code = code
    this.args = args
  }
}

export function invalidArgument(message: string, cause?: unknown): EngineError {
  return new EngineError('INVALID_ARGUMENT', message, { cause })
}

export function notFound(message: string, cause?: unknown): EngineError {
  return new EngineError('NOT_FOUND', message, { cause })
}

export function conflict(message: string, cause?: unknown): EngineError {
  return new EngineError('CONFLICT', message, { cause })
}

export function forbidden(message: string, cause?: unknown): EngineError {
  return new EngineError('FORBIDDEN', message, { cause })
}

/** For what Docker has and Gantry has not yet: the message names it, `docs/compatibility.md` lists it. */
export function notImplemented(message: string): EngineError {
  return new EngineError('NOT_IMPLEMENTED', message)
}

export function internal(message: string, cause?: unknown): EngineError {
  return new EngineError('INTERNAL', message, { cause })
}

/** What failed first, where undoing it failed as well (`using` throws the two as one `SuppressedError`): that is what a user is to be told. */
export function firstError(error: unknown): unknown {
  return error instanceof SuppressedError ? firstError(error.suppressed) : error
}

/** The code of `error`, or of what failed first; INTERNAL for anything that is not an {@link EngineError}. */
export function codeOf(error: unknown): ErrorCode {
  const first = firstError(error)
  return first instanceof EngineError ? first.code : 'INTERNAL'
}
