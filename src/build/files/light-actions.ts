import { codeOf } from '#errors'
import type { PreparedAction } from './actions.ts'
import { findPath } from './find-path.ts'
import { hasWildcard } from './wildcards.ts'

/** Bytes that are written at once without anybody noticing. */
const SMALL = 256 * 1024

/** Whether an action is over sooner than a worker thread is there to do it, which may have to be started. */
export function isLight(action: PreparedAction): boolean {
  switch (action.action) {
    case 'mkdir':
    case 'symlink':
      return true
    case 'mkfile':
      return action.data.length <= SMALL
    case 'rm':
      return false
    case 'copy':
      return !action.unpack && !(action.allowWildcard && hasWildcard(action.source)) && isSmallFile(action)
  }
}

function isSmallFile({ fromFd, source, followSymlink }: PreparedAction & { action: 'copy' }): boolean {
  try {
    using found = findPath(fromFd, source, { follow: followSymlink })
    return found.stat === undefined || (found.stat.isFile() && found.stat.size <= BigInt(SMALL))
  } catch (error) {
    if (codeOf(error) === 'NOT_FOUND' || codeOf(error) === 'INVALID_ARGUMENT') return true // what is wrong is found out by doing it
    throw error
  }
}
