import { closeSync, constants, openSync, readFileSync } from 'node:fs'
import { systemPath } from '#archive'
import { internal } from '#errors'
import type { FilePath } from '#kernel'

/**
 * Work on files of a container that may swap directories for links at any moment.
 *
 * A path with more than one component of the container's would be resolved anew by every call, by the daemon, from the daemon's root: an absolute
 * link put in its middle leads to the host. So directories are held open, and names are single components below a held one:
 * `/proc/self/fd/N/name` jumps to what N refers to, however it is called by now, and the calls used on it do not follow a link in the last
 * component (lstat, unlink, rename, mkdir, lchown, open with O_NOFOLLOW …).
 */

/** include/uapi/asm-generic/fcntl.h: a descriptor that names a file without opening it. Node's constants lack it. */
export const O_PATH = 0o10000000

const { O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_NOCTTY, O_RDONLY } = constants

/** A descriptor that `using` closes. */
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
    if (name === '' || name === '.' || name === '..' || name.includes('/')) throw internal(`Cannot name a file ${JSON.stringify(name)}`)
    return systemPath(`${this.path}/${name}`)
  }

  /** Names the entry, whatever it is; a link itself, not its target. A device or FIFO is not opened, which alone could have effects. */
  pin(name: string): Pinned {
    return new Pinned(openSync(this.child(name), O_PATH | O_NOFOLLOW))
  }

  /** Throws ENOTDIR for a link to a directory. */
  pinDirectory(name: string): Pinned {
    return new Pinned(openSync(this.child(name), O_PATH | O_NOFOLLOW | O_DIRECTORY))
  }

  /** Opens what this descriptor names, checked to be a regular file or directory, for reading. */
  reopen(): Pinned {
    return new Pinned(openSync(this.path, O_RDONLY | O_NONBLOCK | O_NOCTTY))
  }

  [Symbol.dispose](): void {
    if (!this.#open) return
    this.#open = false
    closeSync(this.fd)
  }
}

/** Identifies the mount a descriptor was reached through (proc_pid_fdinfo(5)): differs from its directory's where something is mounted. */
export function mountIdOf({ fd }: Pinned): string {
  const info = readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1')
  return /^mnt_id:\s*(\d+)/m.exec(info)?.[1] ?? ''
}

/** Code of a failed call of `node:fs` or of the kernel module; undefined for other errors. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'syscall' in error && 'code' in error ? String(error.code) : undefined
}
