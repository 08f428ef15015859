/** The daemon answered with an error status; `message` is its text, without the prefix the CLI prints. */
export class DaemonError extends Error {
  /** HTTP status, 300 to 599. */
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.name = 'DaemonError'
    this.status = status
  }
}

/** There was no answer: the daemon cannot be reached, or the connection broke off. `message` is Docker's text, complete. */
export class ConnectionError extends Error {
  /** True when no connection was made at all, so that the request cannot have had an effect. */
  readonly refused: boolean

  constructor(message: string, refused: boolean, cause?: unknown) {
    super(message, { cause })
    this.name = 'ConnectionError'
    this.refused = refused
  }
}

/** True for the daemon's 404. */
export function isNotFound(error: unknown): boolean {
  return error instanceof DaemonError && error.status === 404
}

/** True for the daemon's 401: a registry wants a login. */
export function isUnauthorized(error: unknown): boolean {
  return error instanceof DaemonError && error.status === 401
}
