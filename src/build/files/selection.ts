import { createIgnoreMatcher } from '#dockerfile'
import { names } from './find-path.ts'
import { compileComponent } from './wildcards.ts'

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
  const leads = wanted === undefined || wanted.hasExceptions ? undefined : leadsToSome(wanted.patterns)
  return {
    includes: (path) => wanted?.ignores(path) !== false && unwanted?.ignores(path) !== true,
    prunes: (directory) => unwanted?.prunes(directory) === true || leads?.(directory) === false,
  }
}

/** Whether one of the patterns may name something in a directory: the whole of an image is not walked through for `COPY --parents usr/bin/tool`. */
function leadsToSome(patterns: readonly string[]): (directory: string) => boolean {
  const ways = patterns.map((pattern) => names(pattern).map((name) => (name.includes('**') ? undefined : compileComponent(name))))
  return (directory) => {
    const path = directory.split('/')
    return ways.some((way) => {
      const any = way.indexOf(undefined)
      const known = Math.min(path.length, any < 0 ? way.length : any)
      return path.slice(0, known).every((name, index) => way[index]?.(name) === true)
    })
  }
}
