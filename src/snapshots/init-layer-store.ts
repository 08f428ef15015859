import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Files, Mounts } from '#kernel'
import type { Metadata } from '#metadata'
import { makeMountPoints } from './init-layer.ts'
import type { LayerDirectories } from './layer-directories.ts'
import type { ChainId } from './types.ts'

interface InitRow {
  directory: number
  /** Boot of the machine during which it was made. It is never synced: after another boot it is made anew. */
  bootId: string
}

/** Key of the init layer of containers without an image. */
const SCRATCH = 'scratch'

/**
 * One init layer for each chain: the mount points that the image lacks, made when the first container needs them. It lies between image
 * and writable layer, so it never shows in `changes` or `diff`.
 */
export interface InitLayerStore {
  /** Directory of the init layer over `layers` (topmost first), made if need be. */
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

  return {
    pathOver(chain, layers) {
      const key = chain ?? SCRATCH
      const known = rows.get(key)
      if (known !== undefined && known.bootId === deps.bootId) return deps.directories.pathOf(known.directory)
      const row: InitRow = { directory: make(layers), bootId: deps.bootId }
      repository.put(key, row)
      rows.set(key, row)
      if (known !== undefined) deps.directories.discard(known.directory)
      return deps.directories.pathOf(row.directory)
    },
    directories,
    broken: () => [...rows].flatMap(([key, { directory }]) => (existsSync(deps.directories.pathOf(directory)) ? [] : [key])),
    forget(chain) {
      const row = rows.get(chain)
      repository.delete(chain)
      rows.delete(chain)
      if (row !== undefined) deps.directories.discard(row.directory)
    },
    retain(chains) {
      const unused = [...rows].filter(([key]) => key !== SCRATCH && !chains.has(key as ChainId))
      for (const [key] of unused) repository.delete(key)
      return () => {
        for (const [key, { directory }] of unused) {
          rows.delete(key)
          deps.directories.discard(directory)
        }
      }
    },
  }
}
