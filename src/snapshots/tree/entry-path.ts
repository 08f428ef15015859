import { posix } from 'node:path'
import { invalidArgument } from '#errors'

/**
 * The components of an archive's name inside the directory it is unpacked to; empty for that directory itself. A leading slash means the
 * directory (as with Docker and GNU tar). `target` is the directory's name in messages.
 *
 * Attack: `../../etc/passwd` and `a/../../etc/passwd` leave the directory. Docker refuses both ("is outside of"), so do we; a `..` that
 * stays inside is resolved by text, before any link is looked at. Throws INVALID_ARGUMENT.
 */
export function entryComponents(path: string, target?: string): string[] {
  const components: string[] = []
  for (const component of path.split('/')) {
    if (component === '' || component === '.') continue
    if (component !== '..') components.push(component)
    // A leading slash is the root of the archive, whose parent is itself.
    else if (components.pop() === undefined && !path.startsWith('/')) throw outside(path, target)
  }
  return components
}

function outside(path: string, target: string | undefined): Error {
  if (target === undefined) return invalidArgument(`invalid tar entry: ${JSON.stringify(path)} is outside of the archive`)
  return invalidArgument(`${JSON.stringify(posix.join(target, path))} is outside of ${JSON.stringify(target)}`)
}
