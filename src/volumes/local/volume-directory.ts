import { mkdirSync, readdirSync, readFileSync, realpathSync, renameSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { conflict, internal } from '#errors'
import { parseMountinfo } from '#kernel'
import { formatNano, randomId, shortId } from '#lib'
import { deleteTree } from '#snapshots'
import { isVolumeName } from './volume-name.ts'

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
    return join(this.#own(name), DATA)
  }

  make(name: string): void {
    mkdirSync(this.#own(name), { recursive: true, mode: 0o701 })
    mkdirSync(this.mountpoint(name), { recursive: true, mode: 0o755 })
  }

  /** What is mounted is there, and is not looked at: its server may be gone, and the question would never end. So is what cannot be looked at. */
  exists(name: string, mounted: ReadonlySet<string> = mountPoints()): boolean {
    const path = this.mountpoint(name)
    if (mounted.has(path)) return true
    try {
      return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
    } catch {
      return true
    }
  }

  /** Names of all there are. */
  names(): string[] {
    const mounted = mountPoints()
    return this.#entries().filter((name) => isVolumeName(name) && this.exists(name, mounted))
  }

  createdAt(name: string): string {
    return formatNano(statSync(this.#own(name), { bigint: true }).ctimeNs)
  }

  /**
   * Takes the volume out of the way in one step and gives what deletes it. A crash in between leaves a directory that `removeLeftovers` finds,
   * never half a volume under its name. Throws CONFLICT while anything is mounted in it: deleting would reach through to what is not ours.
   */
  detach(name: string): () => Promise<void> {
    const own = this.#own(name)
    if ([...mountPoints()].some((path) => path === own || path.startsWith(`${own}/`)))
      throw conflict(`remove ${name}: volume has active mounts`)
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
    return mountPoints().has(this.mountpoint(name))
  }

  /** A second lock behind `verifyVolumeName`: whatever came this far, no path leads out of here. */
  #own(name: string): string {
    if (!isVolumeName(name)) throw internal(`${JSON.stringify(name)} is no name of a local volume`)
    return join(this.#root, name)
  }

  #entries(): string[] {
    return readdirSync(this.#root)
  }
}

/** All mount points of this mount namespace. */
function mountPoints(): Set<string> {
  return new Set(parseMountinfo(readFileSync('/proc/self/mountinfo', 'utf8')).map(({ mountPoint }) => mountPoint))
}
