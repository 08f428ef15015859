import { codeOf, EngineError } from '#errors'
import { fullString } from '#oci'
import type { Reference } from '#oci'

/**
 * An error of a registry in the words of a build, where they differ from those of a pull. Source: containerd core/remotes/docker/resolver.go,
 * `errdefs.ErrNotFound` and `errPullAccessDenied`.
 */
export function remoteError(error: unknown, reference: Reference): unknown {
  if (codeOf(error) !== 'NOT_FOUND') return error
  const { cause } = error as EngineError
  const text = wasDenied(cause)
    ? `pull access denied, repository does not exist or may require authorization: ${cause.message}`
    : `${fullString(reference)}: not found`
  return new EngineError('NOT_FOUND', text, { cause: error })
}

/** Registries answer so for what is not there, lest strangers find out what is. Shape: distribution-spec v1.1, "Error Codes". */
function wasDenied(cause: unknown): cause is Error {
  if (!(cause instanceof Error) || !('errors' in cause) || !Array.isArray(cause.errors)) return false
  const [first] = cause.errors as { code?: unknown }[]
  return first?.code === 'DENIED'
}
