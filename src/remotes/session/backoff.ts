import type { TransferLimits } from '../types.ts'
import { NetworkError } from '../transport/network-error.ts'
import { RegistryError } from './registry-error.ts'

/** Whether the same request may succeed later. */
export function isTransient(error: unknown): error is NetworkError | RegistryError {
  return (error instanceof NetworkError || error instanceof RegistryError) && error.transient
}

/**
 * Milliseconds to wait after the `failures`th failure in a row (counted from 1), a quarter more or less so that clients which failed
 * together do not come back together. What the server asks for (`Retry-After`) is the least; undefined: it asks for more than we wait.
 */
export function backoff(failures: number, error: unknown, limits: TransferLimits): number | undefined {
  const wanted = error instanceof RegistryError ? (error.retryAfter ?? 0) : 0
  if (wanted > limits.retryAfterMaximum) return undefined
  const own = Math.min(limits.backoff * 4 ** (failures - 1), limits.backoffMaximum)
  return Math.max(wanted, own * (0.75 + Math.random() / 2))
}
