import { chownSync, chmodSync, mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Mounts } from '#kernel'

/** statfs(2), TMPFS_MAGIC. */
const TMPFS_MAGIC = 0x01021994
/** mount(2): MS_NOSUID, MS_NODEV, MS_NOEXEC. */
const MOUNT_FLAGS = 2 | 4 | 8

/**
 * Secrets of one step as files, for the time until they are mounted: then `dispose` takes them away from the host, and all that is left of them is the
 * step's own mounts, which nobody else sees and which end with it. They are never on a disk: where the directory is none, a tmpfs is mounted for them.
 */
export class SecretFiles implements Disposable {
  readonly #directory: string
  readonly #mounts: Pick<Mounts, 'mount' | 'unmount'>
  #state: 'none' | 'directory' | 'mounted' = 'none'
  #count = 0

  /** `directory` does not exist yet; its parent is root's alone. */
  constructor(directory: string, mounts: Pick<Mounts, 'mount' | 'unmount'>) {
    this.#directory = directory
    this.#mounts = mounts
  }

  /** Writes one secret and answers its path. */
  add(data: Uint8Array, { mode, uid, gid }: { mode: number; uid: number; gid: number }): string {
    this.#open()
    const path = join(this.#directory, String(this.#count++))
    writeFileSync(path, data, { mode: 0o600, flag: 'wx' })
    chownSync(path, uid, gid)
    chmodSync(path, mode & 0o7777)
    return path
  }

  [Symbol.dispose](): void {
    if (this.#state === 'mounted') this.#mounts.unmount(this.#directory, { detach: true })
    rmSync(this.#directory, { recursive: true, force: true })
    this.#state = 'none'
  }

  #open(): void {
    if (this.#state !== 'none') return
    mkdirSync(this.#directory, { mode: 0o700 })
    this.#state = 'directory'
    if (statfsSync(this.#directory).type === TMPFS_MAGIC) return
    this.#mounts.mount('secrets', this.#directory, 'tmpfs', MOUNT_FLAGS, 'mode=700')
    this.#state = 'mounted'
  }
}
