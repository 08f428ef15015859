import { existsSync, realpathSync } from 'node:fs'
import { relative, resolve, sep } from 'node:path'

/** As it is written behind `--allow`. */
export const DELETE_ANYWHERE = 'buildx.local.delete'

/**
 * Whether a result takes the place of all that is in its directory (`mode=delete`) instead of being added to it. Throws Error for another mode, and for a directory that
 * is not below the working directory: a slip of the pen must not empty somebody's home. `isAllowed`: anywhere.
 */
export function replacesDirectory(mode: string | undefined, directory: string, isAllowed: boolean): boolean {
  if (mode === undefined || mode === '' || mode === 'copy') return false
  if (mode !== 'delete') throw new Error(`invalid mode ${JSON.stringify(mode)} for local output: expected copy or delete`)
  const place = existsSync(directory) ? realpathSync(directory) : resolve(directory)
  const path = relative(realpathSync('.'), place)
  if (!isAllowed && (path === '' || path === '..' || path.startsWith(`..${sep}`)))
    throw new Error(`mode=delete for ${directory}, which is not below the working directory, needs --allow ${DELETE_ANYWHERE}`)
  return true
}
