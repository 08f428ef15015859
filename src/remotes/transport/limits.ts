import type { TransferLimits } from '../types.ts'

const SECOND = 1000
const KIB = 1024

/** Connection times are dockerd's; the rest is what a slow line needs and a dead one does not get. */
export const DEFAULT_LIMITS: TransferLimits = {
  connect: 30 * SECOND,
  response: 60 * SECOND,
  uploadResponse: 600 * SECOND,
  idle: 30 * SECOND,
  window: 30 * SECOND,
  minimumBytes: 4 * KIB,
  backoff: 0.5 * SECOND,
  backoffMaximum: 30 * SECOND,
  retryAfterMaximum: 120 * SECOND,
}

/** Bytes of a response's head. A location with a signed query has a few. */
export const MAX_HEADER_SIZE: number = 64 * KIB
/** Bytes of an error's body that are read. */
export const MAX_ERROR_SIZE: number = 64 * KIB
/** Bytes of other JSON: tokens, pages of tags, search results. */
export const MAX_DOCUMENT_SIZE: number = 4 * KIB * KIB
