import { randomInt } from 'node:crypto'
import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Files } from '#kernel'
import type { Trash } from './trash.ts'

/** The numbered directories `<n>/diff` with the files of layers, drafts and init layers. Who has one notes its number in a row. */
export interface LayerDirectories {
  /** Above all of them; absolute. */
  readonly root: string
  /** Rows name these: they are not given again although their directories may be gone. */
  claim(directories: Iterable<number>): void
  /** A number that nothing has. Its directory is no leftover until this is disposed: by then a row names it, or it is gone. */
  reserve(): Disposable & { directory: number }
  /** A new, empty directory. */
  make(): { directory: number; path: string }
  /** `<n>/diff`. */
  pathOf(directory: number): string
  /** `<n>`, with all that belongs to the layer. */
  above(directory: number): string
  discard(directory: number): void
  /** Some are being filled right now. */
  isBusy(): boolean
  /** Entries that neither `known` names nor anybody is making; absolute. */
  strangers(known: Iterable<number>): string[]
}

/** `root` is made when absent. */
export function createLayerDirectories(deps: { root: string; files: Files; trash: Trash }): LayerDirectories {
  const { root } = deps
  mkdirSync(root, { recursive: true, mode: 0o710 })
  // Layers are unpacked at the same time and deleted one by one; in one place ext4 would be busy there, and search among the dead for each new inode.
  deps.files.spreadSubdirectories(root)
  const busy = new Set<number>()
  let last = Math.max(0, ...readdirSync(root).map(Number).filter(Number.isInteger))

  function next(): number {
    // By its name ext4 chooses the place of a directory on the disk: a new store must not begin where an old one has just been deleted, see above.
    last = last === 0 ? randomInt(100, 50_000) : last + 1
    return last
  }

  const above = (directory: number): string => join(root, String(directory))
  const pathOf = (directory: number): string => join(above(directory), 'diff')

  return {
    root,
    claim: (directories) => void (last = Math.max(last, ...directories)),
    reserve() {
      const directory = next()
      busy.add(directory)
      return { directory, [Symbol.dispose]: () => void busy.delete(directory) }
    },
    make() {
      const directory = next()
      mkdirSync(pathOf(directory), { recursive: true, mode: 0o755 })
      return { directory, path: pathOf(directory) }
    },
    pathOf,
    above,
    discard: (directory) => deps.trash.discard(above(directory)),
    isBusy: () => busy.size > 0,
    strangers(known) {
      const names = new Set([...known, ...busy].map(String))
      return readdirSync(root).flatMap((name) => (names.has(name) ? [] : [join(root, name)]))
    },
  }
}
