import { EngineError, notFound } from '#errors'
import type { ErrorCode } from '#errors'
import { familiarName, familiarString } from '#oci'
import type { Reference } from '#oci'
import { NetworkError } from '../transport/network-error.ts'
import { errorText, RegistryError } from './registry-error.ts'

/**
 * What a user reads when a transfer failed. Texts of a pull: moby v28 distribution/errors.go, `translatePullError`; of a push Docker shows
 * the registry's errors as they are. What is neither of the network nor of the registry (a source that could not be read) passes as it is.
 */
export function engineError(error: unknown, name: Reference, intent: 'pull' | 'push'): unknown {
  if (error instanceof NetworkError) return new EngineError('UNAVAILABLE', error.message, { cause: error })
  if (!(error instanceof RegistryError)) return error
  const [first] = error.errors
  if (intent === 'pull' && first !== undefined) return pullError(error, errorText(first), name)
  return new EngineError(codeOfStatus(error.status), error.message, { cause: error })
}

function pullError(error: RegistryError, text: string, name: Reference): EngineError {
  switch (error.errors[0]?.code) {
    case 'DENIED':
      return notFound(
        `pull access denied for ${familiarName(name)}, repository does not exist or may require 'docker login': ${text}`,
        error,
      )
    case 'MANIFEST_UNKNOWN':
      return notFound(`manifest for ${familiarString(name)} not found: ${text}`, error)
    case 'NAME_UNKNOWN':
      return notFound(`repository ${familiarName(name)} not found: ${text}`, error)
    default:
      return new EngineError(codeOfStatus(error.status), text, { cause: error })
  }
}

/** The class of an error by what the registry answered. */
export function codeOfStatus(status: number): ErrorCode {
  if (status >= 500) return 'UNAVAILABLE'
  return CODES[status] ?? 'INVALID_ARGUMENT'
}

const CODES: Readonly<Record<number, ErrorCode>> = {
  401: 'UNAUTHORIZED',
  403: 'FORBIDDEN',
  404: 'NOT_FOUND',
  408: 'UNAVAILABLE',
  429: 'RESOURCE_EXHAUSTED',
}
