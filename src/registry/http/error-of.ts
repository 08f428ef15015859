import { codeOf } from '#errors'
import { RegistryError } from './registry-error.ts'

/** Errors of a file system that has no room. */
const FULL: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG'])

/** What the client is told about any error. The text of unforeseen ones stays in the log: it may name paths and hosts. */
export function errorOf(error: unknown): RegistryError {
  if (error instanceof RegistryError) return error
  if (error instanceof URIError) return new RegistryError('NOT_FOUND', { status: 400, message: 'the path is not valid percent-encoding' })
  if (FULL.has((error as { code?: unknown } | null)?.code)) {
    return new RegistryError('UNAVAILABLE', { status: 507, message: 'no space left in the storage of the registry', cause: error })
  }
  if (codeOf(error) === 'UNAVAILABLE') return new RegistryError('UNAVAILABLE', { cause: error })
  return new RegistryError('UNKNOWN', { cause: error })
}
