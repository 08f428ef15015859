import { closeSync } from 'node:fs'
import type { FilePath } from '#kernel'
import { pathIn } from '#snapshots'

/** A descriptor that `using` closes. Files of a container are only named below one, see `pathIn`: programs may swap directories for links. */
export class Pinned implements Disposable {
  readonly fd: number
  #open = true

  constructor(fd: number) {
    this.fd = fd
  }

  /** Itself as a path, for calls that act on an open file: only for what is no link. */
  get path(): string {
    return `/proc/self/fd/${this.fd}`
  }

  /** A directory's entry as a path. */
  child(name: string): FilePath {
    return pathIn(this.fd, name)
  }

  [Symbol.dispose](): void {
    if (!this.#open) return
    this.#open = false
    closeSync(this.fd)
  }
}

/** Code of a failed call of `node:fs` or of the kernel module; undefined for other errors. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'syscall' in error && 'code' in error ? String(error.code) : undefined
}
