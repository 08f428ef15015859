import { mkdirSync, readdirSync, readFileSync, realpathSync, renameSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { conflict } from '#errors'
import { parseMountinfo } from '#kernel'
import { formatNano, randomId, shortId } from '#lib'
import { deleteTree } from '#snapshots'

/** In front of directories whose volume is gone; no volume's name starts with a dot. */
const REMOVED_PREFIX = '.removed-'

/** The data's directory below the volume's own, as Docker names it. */
const DATA = '_data'

/** The directories of all volumes: `<root>/<name>/_data`. */
export class VolumeDirectory {
  readonly #root: string

  /**
   * Makes `root`. Containers' users may pass through it (0701) but not look around. Links in its path are resolved once, because the kernel's mount table
   * knows no links: a mount that is not recognised would be deleted through.
   */
  constructor(root: string) {
    mkdirSync(root, { recursive: true, mode: 0o701 })
    this.#root = realpathSync(root)
  }

  mountpoint(name: string): string {
    return join(this.#root, name, DATA)
  }

  make(name: string): void {
    mkdirSync(join(this.#root, name), { recursive: true, mode: 0o701 })
    mkdirSync(this.mountpoint(name), { recursive: true, mode: 0o755 })
  }

  exists(name: string): boolean {
    return statSync(this.mountpoint(name), { throwIfNoEntry: false })?.isDirectory() ?? false
  }

  /** Names of all there are. */
  names(): string[] {
    return this.#entries().filter((name) => !name.startsWith('.') && this.exists(name))
  }

  createdAt(name: string): string {
    return formatNano(statSync(join(this.#root, name), { bigint: true }).ctimeNs)
  }

  /**
   * Takes the volume out of the way in one step and gives what deletes it. A crash in between leaves a directory that `removeLeftovers` finds,
   * never half a volume under its name. Throws CONFLICT while anything is mounted in it: deleting would reach through to what is not ours.
   */
  detach(name: string): () => Promise<void> {
    const own = join(this.#root, name)
    if (mountPoints().some((path) => path === own || path.startsWith(`${own}/`))) throw conflict(`remove ${name}: volume has active mounts`)
    const aside = join(this.#root, `${REMOVED_PREFIX}${shortId(randomId())}`)
    try {
      renameSync(own, aside)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return () => Promise.resolve()
      throw error
    }
    return () => deleteTree(aside)
  }

  /** What cannot be deleted stays for the next time: it may not keep the daemon from starting. */
  async removeLeftovers(): Promise<void> {
    for (const name of this.#entries()) {
      if (name.startsWith(REMOVED_PREFIX)) await deleteTree(join(this.#root, name)).catch(() => undefined)
    }
  }

  /** Whether something is mounted at the mountpoint. */
  isMounted(name: string): boolean {
    return mountPoints().includes(this.mountpoint(name))
  }

  #entries(): string[] {
    return readdirSync(this.#root)
  }
}

/** All mount points of this mount namespace. */
function mountPoints(): string[] {
  return parseMountinfo(readFileSync('/proc/self/mountinfo', 'utf8')).map(({ mountPoint }) => mountPoint)
}
