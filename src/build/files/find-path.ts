import { closeSync, constants, lstatSync, openSync, readlinkSync } from 'node:fs'
import type { BigIntStats } from 'node:fs'
import { decodeName } from '#archive'
import { EngineError, notFound } from '#errors'
import { O_PATH, pathIn } from '#snapshots'

/** As many as the kernel follows in one path. */
const MAX_LINKS = 40

const DIRECTORY = O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW

/** What a path means inside a root. */
export interface Found extends Disposable {
  /** The directory that holds it (O_PATH); of the root the root itself. Closed when disposed. */
  readonly directoryFd: number
  /** Its name there; empty for the root. */
  readonly name: string
  /** Where it really is, without links on the way; `/` for the root. */
  readonly path: string
  /** undefined: there is nothing of this name. */
  readonly stat: BigIntStats | undefined
}

export interface FindOptions {
  /** A link in the last place is followed, too; where it leads nowhere, what it names is the answer. */
  follow: boolean
  /** Makes a directory that is missing on the way. Absent: that is NOT_FOUND. */
  make?: (directoryFd: number, name: string) => void
}

/**
 * Follows `path` inside an open root: links, absolute or with `..`, lead nowhere but inside (`/etc -> /../../etc` of a hostile image). Each step is one name
 * below an open directory, and no call of the kernel ever follows a link, so that a tree which changes meanwhile cannot lead out either.
 */
export function findPath(rootFd: number, path: string, options: FindOptions): Found {
  const way: { fd: number; name: string }[] = []
  const rest = names(path)
  let links = 0
  using undo = new DisposableStack()
  undo.defer(() => way.splice(0).forEach(({ fd }) => closeSync(fd)))
  const top = (): number => way.at(-1)?.fd ?? rootFd

  for (let name = rest.shift(); name !== undefined; name = rest.shift()) {
    if (name === '..') {
      const left = way.pop()
      if (left !== undefined) closeSync(left.fd)
      continue
    }
    const isLast = rest.length === 0
    let stat = lstatSync(pathIn(top(), name), { bigint: true, throwIfNoEntry: false })
    if (stat?.isSymbolicLink() === true && (!isLast || options.follow)) {
      if (++links > MAX_LINKS) throw new EngineError('INVALID_ARGUMENT', `${path}: too many levels of symbolic links`)
      const target = decodeName(readlinkSync(pathIn(top(), name), { encoding: 'buffer' }))
      if (target.startsWith('/')) way.splice(0).forEach(({ fd }) => closeSync(fd))
      rest.unshift(...names(target))
      continue
    }
    if (isLast) return place(name, stat)
    if (stat === undefined && options.make !== undefined) {
      options.make(top(), name)
      stat = lstatSync(pathIn(top(), name), { bigint: true })
    }
    if (stat === undefined) throw absent(path)
    if (!stat.isDirectory()) throw new EngineError('INVALID_ARGUMENT', `${path}: not a directory`)
    way.push({ fd: openSync(pathIn(top(), name), DIRECTORY), name })
  }
  // It ends at a directory that is on the way: the root, `..`, or a link to one of them.
  const last = way.at(-1)?.name ?? ''
  if (last === '') return place('', lstatSync(`/proc/self/fd/${rootFd}/.`, { bigint: true }))
  closeSync(way.pop()?.fd ?? -1)
  return place(last, lstatSync(pathIn(top(), last), { bigint: true }))

  function place(name: string, stat: BigIntStats | undefined): Found {
    undo.move()
    const directoryFd = top()
    const open = [...way]
    return {
      directoryFd,
      name,
      path: `/${[...way.map((step) => step.name), name].filter(Boolean).join('/')}`,
      stat,
      [Symbol.dispose]: () => open.splice(0).forEach(({ fd }) => closeSync(fd)),
    }
  }
}

/** BuildKit's words for a path that is not there. */
export function absent(path: string): EngineError {
  return notFound(`${JSON.stringify(path)}: not found`)
}

/** The components of a path; `.` and empty ones say nothing. */
export function names(path: string): string[] {
  return path.split('/').filter((name) => name !== '' && name !== '.')
}

/** For calls about the node itself that do not follow links. */
export function systemPathOf({ directoryFd, name }: Pick<Found, 'directoryFd' | 'name'>): ReturnType<typeof pathIn> {
  return name === '' ? `/proc/self/fd/${directoryFd}/.` : pathIn(directoryFd, name)
}
