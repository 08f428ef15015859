/**
 * The only place where an error class becomes an HTTP status. A new {@link ErrorCode} does not compile until it has one here.
 * Source: moby `daemon/server/httpstatus`; 499 is nginx's "client closed request", which nobody reads but the log.
 */

import { codeOf, firstError, type ErrorCode } from '#errors'

export const HTTP_STATUS: Record<ErrorCode, number> = {
  INVALID_ARGUMENT: 400,
  UNAUTHORIZED: 401,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  CONFLICT: 409,
  NOT_MODIFIED: 304,
  NOT_IMPLEMENTED: 501,
  UNAVAILABLE: 503,
  CANCELLED: 499,
  RESOURCE_EXHAUSTED: 500,
  DATA_LOSS: 500,
  INTERNAL: 500,
}

/** Status of anything thrown; 500 for what is not an `EngineError`. */
export function statusOf(error: unknown): number {
  return HTTP_STATUS[codeOf(error)]
}

/** The text for the user; never a stack. */
export function messageOf(error: unknown): string {
  const first = firstError(error)
  return first instanceof Error ? first.message : String(first)
}
