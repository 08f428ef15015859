import { createIgnoreMatcher } from '#dockerfile'

/** Which nodes below a source are meant; paths relative to it. */
export interface Selection {
  includes(path: string): boolean
  /** Neither the directory nor anything below it is meant. */
  prunes(directory: string): boolean
}

/** Include patterns name what is meant (all when there are none), exclude patterns take away from it. As in `.dockerignore`, a directory stands for what is in it. */
export function createSelection(includePatterns: readonly string[], excludePatterns: readonly string[]): Selection {
  const wanted = includePatterns.length === 0 ? undefined : createIgnoreMatcher(includePatterns)
  const unwanted = excludePatterns.length === 0 ? undefined : createIgnoreMatcher(excludePatterns)
  return {
    includes: (path) => wanted?.ignores(path) !== false && unwanted?.ignores(path) !== true,
    prunes: (directory) => unwanted?.prunes(directory) === true,
  }
}
