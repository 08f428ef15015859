import { chownSync, constants, mkdirSync } from 'node:fs'
import type { Files } from '#kernel'
import { errorCode, O_PATH, Pinned } from './pinned.ts'

/** Mode of directories that an archive implies and does not contain. */
const IMPLIED_MODE = 0o755

/** Directories held open at once; deeper archives are refused rather than using up the daemon's descriptors. */
export const MAX_COMPONENTS = 1000

/**
 * The directories of an archive's entries below the place it is unpacked to. The way to the last entry's directory is held open, as the next entry is
 * nearly always close by. A link to a directory is followed, inside the container's root, as it would be for a program in the container.
 */
export class DirectoryWalk implements Disposable {
  readonly #files: Files
  readonly #rootFd: number
  readonly #top: Pinned
  /** Text of the top inside the root, without slash at the end. */
  readonly #topPath: string
  readonly #held: { name: string; directory: Pinned }[] = []

  constructor(files: Files, rootFd: number, top: Pinned, topPath: string) {
    this.#files = files
    this.#rootFd = rootFd
    this.#top = top
    this.#topPath = topPath === '/' ? '' : topPath
  }

  /** The directory of these names, made where missing. It stays the walk's; valid until the next call. */
  enter(names: readonly string[]): Pinned {
    let depth = 0
    while (depth < names.length && this.#held[depth]?.name === names[depth]) depth++
    this.#release(depth)
    for (const name of names.slice(depth)) {
      const parent = this.#held.at(-1)?.directory ?? this.#top
      this.#held.push({ name, directory: this.#openOrMake(parent, name) })
    }
    return this.#held.at(-1)?.directory ?? this.#top
  }

  /** The entry of these names was replaced: what is held at or below it is no longer what the names mean. */
  forget(names: readonly string[]): void {
    if (names.every((name, index) => this.#held[index]?.name === name)) this.#release(names.length - 1)
  }

  [Symbol.dispose](): void {
    this.#release(0)
  }

  #release(depth: number): void {
    for (const { directory } of this.#held.splice(depth).reverse()) directory[Symbol.dispose]()
  }

  #openOrMake(parent: Pinned, name: string): Pinned {
    try {
      return parent.pinDirectory(name)
    } catch (error) {
      if (errorCode(error) === 'ENOTDIR') return this.#follow(name)
      if (errorCode(error) !== 'ENOENT') throw error
    }
    mkdirSync(parent.child(name), IMPLIED_MODE)
    const made = parent.pinDirectory(name)
    // Against the daemon's umask, and the group that a setgid parent hands down.
    chownSync(made.path, 0, 0)
    return made
  }

  /** A link, or no directory at all: the kernel decides, inside the root. */
  #follow(name: string): Pinned {
    const path = [this.#topPath, ...this.#held.map((held) => held.name), name].join('/')
    return new Pinned(this.#files.openInRoot(this.#rootFd, path, O_PATH | constants.O_DIRECTORY))
  }
}
