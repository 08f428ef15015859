import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Files, Mounts } from '#kernel'
import type { Metadata } from '#metadata'
import type { Digest } from '#oci'
import type { ChainStore } from './chain-store.ts'
import { hasMountPoints, makeMountPoints } from './init-layer.ts'
import type { LayerDirectories } from './layer-directories.ts'
import type { ChainId } from './types.ts'

interface InitRow {
  /** Several chains may name the same one. */
  directory: number
  /** Boot of the machine during which it was made. It is never synced: after another boot it is made anew. */
  bootId: string
}

/** Key of the init layer of containers without an image. */
const SCRATCH = 'scratch'

/**
 * The init layer of each chain: the mount points that the image lacks, made when the first container needs them. It lies between image and writable layer, so
 * it never shows in `changes` or `diff`. A chain whose upper layers have nothing to do with mount points shares that of the chain below: most steps of builds.
 */
export interface InitLayerStore {
  /** Directory of the init layer over a chain, whose directories are `layers` (topmost first), made if need be. */
  pathOver(chain: ChainId | undefined, layers: readonly string[]): string
  directories(): Set<number>
  /** Chains whose init layer's directory is gone. */
  broken(): string[]
  /** It is made anew when the next container needs it. */
  forget(chain: string): void
  /** Inside a transaction: forgets those of other chains than these. Returns what to do afterwards. */
  retain(chains: ReadonlySet<ChainId>): () => void
}

export function createInitLayerStore(deps: {
  metadata: Metadata
  files: Files
  mounts: Mounts
  directories: LayerDirectories
  chains: Pick<ChainStore, 'parent' | 'top'>
  /** Where the files of a layer are. */
  index: { pathOf(id: Digest): string }
  bootId: string
}): InitLayerStore {
  const repository = deps.metadata.repository<InitRow>('initLayers')
  const rows = new Map(repository.all().map(({ key, value }) => [key, value]))
  const directories = (): Set<number> => new Set(rows.values().map((row) => row.directory))
  deps.directories.claim(directories())

  function make(layers: readonly string[]): number {
    const { directory, path } = deps.directories.make()
    using undo = new DisposableStack()
    undo.defer(() => deps.directories.discard(directory))
    if (layers.length === 0) makeMountPoints(deps.files, path)
    else {
      // Through an overlay, so that the kernel says what the image has and what a link in it means.
      const work = join(path, '..', 'work')
      mkdirSync(work, { mode: 0o700 })
      {
        // Volatile: unmounting an overlay else writes the whole file system to the disk, a tenth of a second and more.
        using overlay = deps.mounts.overlay({ cwd: '/', lower: [...layers], upper: path, work, volatile: true })
        makeMountPoints(deps.files, overlay.path)
      }
      rmSync(work, { recursive: true, force: true })
    }
    undo.move()
    return directory
  }

  /** undefined: it has to be made anew. */
  function known(chain: string): number | undefined {
    const row = rows.get(chain)
    return row?.bootId === deps.bootId ? row.directory : undefined
  }

  /** The init layer of a chain below, if the layers between change nothing that it has been made of. */
  function shared(chain: ChainId): number | undefined {
    for (let above = chain; ;) {
      const below = deps.chains.parent(above)
      if (below === undefined || hasMountPoints(deps.files, deps.index.pathOf(deps.chains.top(above)))) return undefined
      const found = known(below)
      if (found !== undefined) return found
      above = below
    }
  }

  /** Deletes what no row names any more. */
  function discardUnnamed(gone: readonly InitRow[]): void {
    const named = directories()
    for (const { directory } of gone) if (!named.has(directory)) deps.directories.discard(directory)
  }

  return {
    pathOver(chain, layers) {
      const key = chain ?? SCRATCH
      const found = known(key)
      if (found !== undefined) return deps.directories.pathOf(found)
      const before = rows.get(key)
      const directory = (chain === undefined ? undefined : shared(chain)) ?? make(layers)
      const row: InitRow = { directory, bootId: deps.bootId }
      repository.put(key, row)
      rows.set(key, row)
      if (before !== undefined) discardUnnamed([before])
      return deps.directories.pathOf(directory)
    },
    directories,
    broken: () => [...rows].flatMap(([key, { directory }]) => (existsSync(deps.directories.pathOf(directory)) ? [] : [key])),
    forget(chain) {
      const row = rows.get(chain)
      repository.delete(chain)
      rows.delete(chain)
      if (row !== undefined) discardUnnamed([row])
    },
    retain(chains) {
      const unused = [...rows].filter(([key]) => key !== SCRATCH && !chains.has(key as ChainId))
      for (const [key] of unused) repository.delete(key)
      return () => {
        for (const [key] of unused) rows.delete(key)
        discardUnnamed(unused.map(([, row]) => row))
      }
    },
  }
}
