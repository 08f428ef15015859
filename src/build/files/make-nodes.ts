import { closeSync, constants, mkdirSync, openSync, symlinkSync, writeFileSync } from 'node:fs'
import { systemPath } from '#archive'
import { invalidArgument } from '#errors'
import type { Files } from '#kernel'
import { pathIn, removeTree } from '#snapshots'
import type { PreparedAction } from './actions.ts'
import { NEW_DIRECTORY_MODE, setAttributes } from './attributes.ts'
import type { Changes } from './attributes.ts'
import { parseMode } from './file-mode.ts'
import { absent, findPath, systemPathOf } from './find-path.ts'
import { resolveWildcards } from './wildcards.ts'

type Of<K extends PreparedAction['action']> = Extract<PreparedAction, { action: K }>

/** Owner and time that an action gives. */
function changesOf({ owner, timestamp }: { owner?: Changes['owner'] | undefined; timestamp?: number | undefined }): Changes {
  return { ...(owner && { owner }), ...(timestamp !== undefined && { time: nanoseconds(timestamp) }) }
}

/** What an action changes of all that it makes, as plain data. */
export interface ChangedAttributes {
  owner?: Changes['owner'] | undefined
  /** As `parseMode` takes it. */
  mode?: number | string | undefined
  /** Milliseconds since the epoch, with fraction. */
  timestamp?: number | undefined
}

export function copyChanges(action: ChangedAttributes): Changes {
  return { ...changesOf(action), ...(action.mode !== undefined && { mode: parseMode(action.mode) }) }
}

/** Milliseconds, with fraction. */
function nanoseconds(milliseconds: number): bigint {
  const whole = Math.floor(milliseconds)
  return BigInt(whole) * 1_000_000n + BigInt(Math.round((milliseconds - whole) * 1e6))
}

/** For `findPath`: makes what is missing on the way. */
export function directoryMaker(
  files: Files,
  changes: Changes,
  mode: number = NEW_DIRECTORY_MODE,
): (directoryFd: number, name: string) => void {
  return (directoryFd, name) => {
    const path = pathIn(directoryFd, name)
    mkdirSync(path, 0o700)
    setAttributes(files, path, changes, { mode, isDirectory: true })
  }
}

/** One that exists is left as it is. */
export function makeDirectory(files: Files, rootFd: number, action: Of<'mkdir'>): void {
  const make = directoryMaker(files, changesOf(action), action.mode & 0o7777)
  using found = findPath(rootFd, action.path, { follow: true, ...(action.makeParents && { make }) })
  if (found.stat === undefined) make(found.directoryFd, found.name)
  else if (!found.stat.isDirectory() && action.makeParents) throw invalidArgument(`mkdir ${action.path}: not a directory`)
}

/** An existing file gets the new content and keeps its mode, as with BuildKit. */
export function makeFile(files: Files, rootFd: number, action: Of<'mkfile'>): void {
  using found = findPath(rootFd, action.path, { follow: true })
  const { stat } = found
  if (stat !== undefined && !stat.isFile())
    throw invalidArgument(`open ${action.path}: is ${stat.isDirectory() ? 'a directory' : 'no regular file'}`)
  const path = systemPathOf(found)
  const isNew = stat === undefined
  const flags = constants.O_WRONLY | constants.O_NOFOLLOW | (isNew ? constants.O_CREAT | constants.O_EXCL : constants.O_TRUNC)
  const fd = openSync(path, flags, 0o600)
  try {
    writeFileSync(fd, action.data)
  } finally {
    closeSync(fd)
  }
  setAttributes(files, path, changesOf(action), { ...(isNew && { mode: action.mode & 0o7777 }), isDirectory: false })
}

export function makeLink(files: Files, rootFd: number, action: Of<'symlink'>): void {
  using found = findPath(rootFd, action.path, { follow: true })
  if (found.stat !== undefined) throw invalidArgument(`symlink ${action.target} ${action.path}: file exists`)
  const path = systemPathOf(found)
  symlinkSync(systemPath(action.target), path)
  setAttributes(files, path, changesOf(action), { isDirectory: false })
}

/** The name goes; what a link leads to stays. */
export function removePath(rootFd: number, action: Of<'rm'>): void {
  const paths = action.allowWildcard ? resolveWildcards(rootFd, action.path) : [action.path]
  for (const path of paths) {
    using found = tryFind(rootFd, path)
    if (found?.name === '') throw invalidArgument('rmPath: invalid empty path')
    if (found?.stat !== undefined) removeTree(found.directoryFd, found.name, { keepMounts: false })
    else if (!action.allowNotFound) throw absent(path)
  }
}

function tryFind(rootFd: number, path: string): ReturnType<typeof findPath> | undefined {
  try {
    return findPath(rootFd, path, { follow: false })
  } catch (error) {
    if ((error as { code?: string }).code === 'NOT_FOUND') return undefined
    throw error
  }
}
