import { conflict, notFound } from '#errors'
import type { Metadata } from '#metadata'
import { chainId } from '#oci'
import type { Digest } from '#oci'
import type { ChainId } from './types.ts'

interface ChainRow {
  parent?: ChainId
  diffId: Digest
  /** Layers in all. */
  depth: number
}

/** As Docker: the kernel takes 500 lower layers, but their names must fit into one page of mount options. */
const MAX_DEPTH = 125

/** Which layers lie on each other. */
export interface ChainStore {
  has(chain: ChainId): boolean
  /** Diff ids, topmost first, each once. Throws NOT_FOUND. */
  layers(chain: ChainId): Digest[]
  /** The diff id of the topmost layer. Throws NOT_FOUND. */
  top(chain: ChainId): Digest
  /** Throws NOT_FOUND for an unknown parent, CONFLICT `max depth exceeded`. */
  add(parent: ChainId | undefined, diffId: Digest): ChainId
  all(): { chain: ChainId; diffId: Digest; parent?: ChainId }[]
  /** The given chains and all below them. */
  closure(chains: Iterable<ChainId>): Set<ChainId>
  /** Inside a transaction: deletes the row. Returns what to do afterwards. */
  delete(chain: ChainId): () => void
}

export function createChainStore(deps: { metadata: Metadata }): ChainStore {
  const repository = deps.metadata.repository<ChainRow>('chains')
  const rows = new Map(repository.all().map(({ key, value }) => [key as ChainId, value]))

  function get(chain: ChainId): ChainRow {
    const row = rows.get(chain)
    if (row === undefined) throw notFound(`layer chain ${chain}: not found`)
    return row
  }

  return {
    has: (chain) => rows.has(chain),
    layers(chain) {
      // overlayfs refuses a directory that comes twice. A layer that covers itself shows the same without its lower occurrence.
      const diffIds = new Set<Digest>()
      for (let next: ChainId | undefined = chain; next !== undefined; next = get(next).parent) diffIds.add(get(next).diffId)
      return [...diffIds]
    },
    top: (chain) => get(chain).diffId,
    add(parent, diffId) {
      const chain = chainId(parent, diffId)
      if (rows.has(chain)) return chain
      const depth = parent === undefined ? 1 : get(parent).depth + 1
      if (depth > MAX_DEPTH) throw conflict('max depth exceeded')
      const row: ChainRow = { ...(parent === undefined ? {} : { parent }), diffId, depth }
      repository.put(chain, row)
      rows.set(chain, row)
      return chain
    },
    all: () => [...rows].map(([chain, { diffId, parent }]) => ({ chain, diffId, ...(parent === undefined ? {} : { parent }) })),
    closure(chains) {
      const closed = new Set<ChainId>()
      for (const chain of chains) {
        for (let next: ChainId | undefined = chain; next !== undefined && !closed.has(next); next = rows.get(next)?.parent) closed.add(next)
      }
      return closed
    },
    delete(chain) {
      repository.delete(chain)
      return () => void rows.delete(chain)
    },
  }
}
