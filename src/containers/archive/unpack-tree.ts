import {
  chmodSync,
  constants,
  fchmodSync,
  fchownSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  symlinkSync,
  type Stats,
} from 'node:fs'
import { posix } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { createTarDecoder, encodeName, systemPath, type TarEntry } from '#archive'
import { invalidArgument } from '#errors'
import type { Files } from '#kernel'
import { DirectoryWalk, MAX_COMPONENTS } from './directory-walk.ts'
import { FileWriter } from './file-writer.ts'
import { errorCode, Pinned } from './pinned.ts'
import { removeTree } from './remove-tree.ts'

/** Milliseconds of synchronous calls after which other requests get their turn. */
const TURN_MS = 8

/** Tries to put a file where the container puts another again and again. */
const MAX_RACES = 8

export interface UnpackOptions {
  /** A directory may not become something else, nor something else a directory. */
  noOverwriteDirNonDir: boolean
  /** Instead of the owners in the archive. */
  owner: { uid: number; gid: number } | undefined
}

/** Where to unpack to. */
export interface UnpackPlace {
  rootFd: number
  /** The directory; pinned. */
  top: Pinned
  /** The same as text inside the root. */
  path: string
}

/**
 * Unpacks an uncompressed tar into a directory of a container, by the rules of Docker's archive endpoint: what is there is replaced, directories are merged,
 * missing parents are made. Names that lead out of the directory are refused; links in the container are followed inside its root only. Extended
 * attributes the file system does not take are left out. Throws INVALID_ARGUMENT for a malformed archive or a refused replacement; what was unpacked
 * up to then stays.
 */
export async function unpackTree(files: Files, place: UnpackPlace, tar: AsyncIterable<Buffer>, options: UnpackOptions): Promise<void> {
  using unpacker = new Unpacker(files, place, options)
  const decoder = createTarDecoder()
  let turnStarted = performance.now()
  let writer: FileWriter | undefined
  try {
    for await (const chunk of tar) {
      for (const event of decoder.push(chunk)) {
        if (event.kind === 'entry') writer = unpacker.begin(event.entry)
        else if (event.kind === 'data') await writer?.write(event.offset, event.bytes)
        else {
          await writer?.end()
          writer = undefined
          unpacker.finish()
          if (performance.now() - turnStarted < TURN_MS) continue
          await nextTurn()
          turnStarted = performance.now()
        }
      }
    }
    decoder.finish()
    unpacker.setDirectoryTimes()
  } finally {
    await writer?.end().catch(() => undefined)
  }
}

class Unpacker implements Disposable {
  readonly #files: Files
  readonly #place: UnpackPlace
  readonly #options: UnpackOptions
  readonly #walk: DirectoryWalk
  /** The entry whose data is coming, and its open file. */
  #current: { entry: TarEntry; names: string[]; file: Pinned | undefined } | undefined
  /** Unpacking into a directory changes its time, so these are set last. */
  readonly #directories: { names: string[]; mtime: bigint }[] = []

  constructor(files: Files, place: UnpackPlace, options: UnpackOptions) {
    this.#files = files
    this.#place = place
    this.#options = options
    this.#walk = new DirectoryWalk(files, place.rootFd, place.top, place.path)
  }

  /** Makes the entry; for a file gives the writer of its data. */
  begin(entry: TarEntry): FileWriter | undefined {
    const names = namesOf(entry.path, this.#place.path)
    if (names.length === 0) {
      // The place itself: Docker leaves its metadata alone.
      this.#current = undefined
      return undefined
    }
    const name = names.at(-1) ?? ''
    const directory = this.#walk.enter(names.slice(0, -1))
    const file = this.#make(directory, name, names, entry)
    this.#current = { entry, names, file }
    return file === undefined ? undefined : new FileWriter(file)
  }

  /** All data is written: owner, attributes, mode and times. */
  finish(): void {
    const current = this.#current
    if (current === undefined) return
    this.#current = undefined
    const { entry, names } = current
    using file = current.file
    const directory = this.#walk.enter(names.slice(0, -1))
    const name = names.at(-1) ?? ''
    if (entry.type === 'hardlink') return // metadata came with the first name
    this.#setMetadata(directory, name, entry, file)
    if (entry.type === 'directory') this.#directories.push({ names, mtime: entry.mtime })
    else this.#files.setTimes(directory.child(name), entry.mtime, entry.mtime)
  }

  setDirectoryTimes(): void {
    for (const { names, mtime } of this.#directories.toReversed()) {
      // A later entry, or the container, may have put something else there.
      ignoring(['ENOENT', 'ENOTDIR', 'ELOOP'], () => {
        this.#files.setTimes(this.#walk.enter(names.slice(0, -1)).child(names.at(-1) ?? ''), mtime, mtime)
      })
    }
  }

  [Symbol.dispose](): void {
    this.#current?.file?.[Symbol.dispose]()
    this.#walk[Symbol.dispose]()
  }

  #make(directory: Pinned, name: string, names: string[], entry: TarEntry): Pinned | undefined {
    for (let race = 0; ; race++) {
      const existing = lstatSync(directory.child(name), { throwIfNoEntry: false })
      const merge = existing?.isDirectory() === true && entry.type === 'directory'
      if (existing !== undefined) this.#checkReplacement(existing, names, entry)
      if (existing !== undefined && !merge) {
        removeTree(directory, name)
        this.#walk.forget(names)
      }
      if (merge) return undefined
      try {
        return this.#create(directory, name, entry)
      } catch (error) {
        // The container made something of this name since it was looked at.
        if (errorCode(error) !== 'EEXIST' || race === MAX_RACES) throw error
      }
    }
  }

  #checkReplacement(existing: Stats, names: string[], entry: TarEntry): void {
    if (!this.#options.noOverwriteDirNonDir || existing.isDirectory() === (entry.type === 'directory')) return
    const [there, given] = existing.isDirectory() ? ['directory', 'non-directory'] : ['non-directory', 'directory']
    const path = posix.join(this.#place.path, ...names)
    throw invalidArgument(`cannot overwrite ${there} ${quote(path)} with ${given} ${quote(this.#place.path)}`)
  }

  #create(directory: Pinned, name: string, entry: TarEntry): Pinned | undefined {
    const path = directory.child(name)
    switch (entry.type) {
      case 'file': {
        const { O_CREAT, O_EXCL, O_WRONLY, O_NOFOLLOW } = constants
        return new Pinned(openSync(path, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW, 0o600))
      }
      case 'directory':
        mkdirSync(path, 0o700)
        return undefined
      case 'symlink':
        symlinkSync(systemPath(entry.linkPath), path)
        return undefined
      case 'hardlink':
        this.#link(directory, name, entry.linkPath)
        return undefined
      default:
        this.#files.mknodAt(directory.fd, encodeName(name), NODE_TYPES[entry.type] | 0o600, entry.major, entry.minor)
        return undefined
    }
  }

  /** Both names below the place. link(2) does not follow a link in the last component of the first. */
  #link(directory: Pinned, name: string, target: string): void {
    const names = namesOf(target, this.#place.path)
    if (names.length === 0) throw invalidArgument(`invalid hardlink ${quote(name)} -> ${quote(target)}`)
    // A walk of its own: the one in use holds `directory`.
    using walk = new DirectoryWalk(this.#files, this.#place.rootFd, this.#place.top, this.#place.path)
    try {
      linkSync(walk.enter(names.slice(0, -1)).child(names.at(-1) ?? ''), directory.child(name))
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') throw error
      throw invalidArgument(`link ${posix.join(this.#place.path, ...names)} ${name}: no such file or directory`, error)
    }
  }

  #setMetadata(directory: Pinned, name: string, entry: TarEntry, file: Pinned | undefined): void {
    const { uid, gid } = this.#options.owner ?? entry
    const path = directory.child(name)
    if (file === undefined) lchownSync(path, uid, gid)
    else fchownSync(file.fd, uid, gid)
    // After the owner, whose change takes capabilities away.
    for (const [attribute, value] of entry.xattrs)
      ignoring(['ENOTSUP', 'EOPNOTSUPP', 'EPERM'], () => this.#files.setXattr(path, attribute, value))
    if (file !== undefined) fchmodSync(file.fd, entry.mode)
    else if (entry.type !== 'symlink') {
      using node = directory.pin(name)
      // By what was pinned: chmod on a name would follow a link put in its place. A link itself has no mode (EOPNOTSUPP).
      ignoring(['ENOTSUP', 'EOPNOTSUPP'], () => chmodSync(node.path, entry.mode))
    }
  }
}

const NODE_TYPES = { character: constants.S_IFCHR, block: constants.S_IFBLK, fifo: constants.S_IFIFO } as const

/** Components of an entry's path below the place; none for the place itself. Throws INVALID_ARGUMENT when it leads out of it. */
function namesOf(path: string, place: string): string[] {
  const cleaned = posix.normalize(path.startsWith('/') ? path : `./${path}`)
  const names = cleaned.split('/').filter((name) => name !== '' && name !== '.')
  if (names[0] === '..') throw invalidArgument(`${quote(posix.join(place, cleaned))} is outside of ${quote(place)}`)
  if (names.length > MAX_COMPONENTS) throw invalidArgument(`directories are nested deeper than ${MAX_COMPONENTS}`)
  return names
}

function quote(text: string): string {
  return JSON.stringify(text)
}

function ignoring(codes: string[], work: () => void): void {
  try {
    work()
  } catch (error) {
    if (!codes.includes(errorCode(error) ?? '')) throw error
  }
}
