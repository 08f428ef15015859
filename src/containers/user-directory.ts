import { closeSync, constants, fstatSync, lstatSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { SyscallError } from '#errors'
import type { Files } from '#kernel'
import type { ChainId, Snapshotter } from '#snapshots'
import type { UserFiles } from './user-lookup.ts'

/** A user database larger than this is cut; a hostile image must not fill the daemon's memory. */
const MAX_BYTES = 4 << 20
const MAX_CACHED_IMAGES = 128

/**
 * Reads /etc/passwd and /etc/group of images, stopped and running containers.
 * Image and container are hostile: every path is resolved inside their root, and only regular files are read.
 */
export class UserDirectory {
  readonly #files: Files
  readonly #snapshotter: Pick<Snapshotter, 'view' | 'overlay' | 'layerPaths'>
  /** By the layers that count: these never change. Oldest use first. */
  readonly #cache = new Map<string, UserFiles>()

  constructor(files: Files, snapshotter: Pick<Snapshotter, 'view' | 'overlay' | 'layerPaths'>) {
    this.#files = files
    this.#snapshotter = snapshotter
  }

  /** For a container about to start: its own files where it has touched /etc or `chain` is not known, else the image's. */
  ofContainer(key: string, chain: ChainId | undefined): UserFiles {
    const own = lstatSync(join(this.#snapshotter.overlay(key).upper, 'etc'), { throwIfNoEntry: false })
    if (own !== undefined || chain === undefined) {
      using view = this.#snapshotter.view({ key })
      return this.ofRoot(view.fd)
    }
    const layers = this.#layersOf(chain)
    let found = this.#cache.get(layers)
    if (found === undefined) {
      using view = this.#snapshotter.view({ chain })
      found = this.ofRoot(view.fd)
    }
    this.#cache.delete(layers)
    this.#cache.set(layers, found)
    for (const oldest of this.#cache.keys()) {
      if (this.#cache.size <= MAX_CACHED_IMAGES) break
      this.#cache.delete(oldest)
    }
    return found
  }

  /** The layers of a chain without those on top that have nothing in /etc: the steps of a build seldom have, and a look at an overlay costs more than theirs. */
  #layersOf(chain: ChainId): string {
    const layers = this.#snapshotter.layerPaths(chain)
    const first = layers.findIndex((path) => lstatSync(join(path, 'etc'), { throwIfNoEntry: false }) !== undefined)
    return first < 0 ? '' : layers.slice(first).join('\n')
  }

  /** For an exec: the files the process sees. */
  ofProcess(pid: number): UserFiles {
    using root = this.#files.openRoot(`/proc/${pid}/root`)
    return this.ofRoot(root.fd)
  }

  /** For a root file system that is open. */
  ofRoot(rootFd: number): UserFiles {
    return { passwd: this.#text(rootFd, '/etc/passwd'), group: this.#text(rootFd, '/etc/group') }
  }

  #text(rootFd: number, path: string): string {
    let fd: number
    try {
      // O_NONBLOCK: a FIFO in its place must not stop the daemon.
      fd = this.#files.openInRoot(rootFd, path, constants.O_RDONLY | constants.O_NONBLOCK)
    } catch (error) {
      if (error instanceof SyscallError) return ''
      throw error
    }
    try {
      const stat = fstatSync(fd)
      if (!stat.isFile()) return ''
      const bytes = Buffer.alloc(Math.min(stat.size, MAX_BYTES))
      return bytes.toString('utf8', 0, readSync(fd, bytes, 0, bytes.length, 0))
    } finally {
      closeSync(fd)
    }
  }
}
