import { readlinkSync } from 'node:fs'
import { posix } from 'node:path'
import type { Files } from '#kernel'
import { O_PATH } from '#snapshots'
import { errorCode, Pinned } from './pinned.ts'
import { constants } from 'node:fs'

/** As many links as the kernel follows in one path (MAXSYMLINKS). */
const MAX_LINKS = 40

/**
 * The absolute path a user means: `..` taken out as text, as Docker does before any link is looked at; a final `/` or `/.` stays, because it says
 * that the link in front of it is to be followed.
 */
export function cleanContainerPath(path: string): string {
  const cleaned = posix.join('/', path).replace(/(?<=.)\/$/, '')
  if (/(^|\/)\.$/.test(path)) return cleaned === '/' ? '/.' : `${cleaned}/.`
  return path.endsWith('/') && cleaned !== '/' ? `${cleaned}/` : cleaned
}

/** Go's filepath.Base: the last component without slashes after it; `/` of the root. */
export function baseName(path: string): string {
  const trimmed = path.replace(/\/+$/, '')
  return trimmed === '' ? '/' : trimmed.slice(trimmed.lastIndexOf('/') + 1)
}

/**
 * Where a path leads when all its links are followed inside the root, as text; a link that dangles is followed as far as it goes. Only for telling
 * people and for looking up mounts: by the time it is used it may be wrong, so files are opened by `Files.openInRoot` instead.
 */
export function resolveLinks(files: Files, rootFd: number, path: string): string {
  const todo = path.split('/').reverse()
  let resolved = ''
  for (let links = 0; todo.length > 0;) {
    const name = todo.pop()
    if (name === undefined || name === '' || name === '.') continue
    if (name === '..') {
      resolved = resolved.slice(0, Math.max(resolved.lastIndexOf('/'), 0))
      continue
    }
    const target = links < MAX_LINKS ? linkTarget(files, rootFd, resolved, name) : undefined
    if (target === undefined) resolved += `/${name}`
    else {
      links++
      if (target.startsWith('/')) resolved = ''
      todo.push(...target.split('/').reverse())
    }
  }
  return resolved === '' ? '/' : resolved
}

function linkTarget(files: Files, rootFd: number, directory: string, name: string): string | undefined {
  try {
    using parent = new Pinned(files.openInRoot(rootFd, directory === '' ? '/' : directory, O_PATH | constants.O_DIRECTORY))
    return readlinkSync(parent.child(name), 'utf8')
  } catch (error) {
    if (errorCode(error) === undefined) throw error
    return undefined // no link, or not there
  }
}
