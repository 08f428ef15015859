import { DaemonError } from '#client'

/** Ends a command with a status of its own; an empty message prints nothing. */
export class ExitError extends Error {
  readonly status: number

  constructor(status: number, message = '') {
    super(message)
    this.name = 'ExitError'
    this.status = status
  }
}

/** A mistake of the user, found before the daemon was asked: printed as it is, status 1. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** What the user reads about a failure. */
export function errorText(error: unknown): string {
  if (error instanceof DaemonError) return `Error response from daemon: ${error.message}`
  return error instanceof Error ? error.message : String(error)
}
