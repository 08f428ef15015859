import { EngineError, internal, invalidArgument, notFound } from '#errors'
import { errorCode } from './pinned.ts'

/** What the user asked for, for messages. */
export interface ArchiveTarget {
  /** Container reference as the user wrote it. */
  ref: string
  /** Path as the user wrote it. */
  path: string
}

/** Words of errno as Go prints them, which is what clients and their tests look for. */
const WORDS: Record<string, string> = {
  ENOTDIR: 'not a directory',
  ELOOP: 'too many levels of symbolic links',
  ENAMETOOLONG: 'file name too long',
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
  EROFS: 'read-only file system',
  ENOSPC: 'no space left on device',
  EDQUOT: 'disk quota exceeded',
  EBUSY: 'device or resource busy',
}

/** The user's own mistakes; other failures are the host's. */
const USER_FAULTS = ['ENOTDIR', 'ELOOP', 'ENAMETOOLONG']

/**
 * A failed call as the API tells it: NOT_FOUND `Could not find the file /x in container y`, else `<operation> <path>: <reason>`. Other errors pass
 * as they are.
 */
export function archiveError(error: unknown, operation: string, target: ArchiveTarget): unknown {
  const code = errorCode(error)
  if (error instanceof EngineError || code === undefined) return error
  if (code === 'ENOENT') return notFound(`Could not find the file ${target.path} in container ${target.ref}`, error)
  const message = `${operation} ${target.path}: ${WORDS[code] ?? (error as Error).message}`
  return USER_FAULTS.includes(code) ? invalidArgument(message, error) : internal(message, error)
}
