import { posix } from 'node:path'

/** Absolute, without `..` that would leave the root, and without a slash at the end. */
export function rooted(path: string): string {
  return posix.join('/', path).replace(/(.)\/$/, '$1')
}

/** What of a directory must be sent, given the paths in it that steps read; empty: all of it. */
export function followPaths(paths: ReadonlySet<string>): string[] {
  if (paths.size === 0 || paths.has('/')) return []
  return [...paths].map((path) => posix.relative('/', path)).sort()
}
