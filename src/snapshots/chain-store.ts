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

/** Which layers lie on each other. What is said of diff ids goes for ids of drafts as well. */
export interface ChainStore {
  has(chain: ChainId): boolean
  /** Diff ids, topmost first, each once. Throws NOT_FOUND. */
  layers(chain: ChainId): Digest[]
  /** Diff ids, lowest first, as often as they occur. Throws NOT_FOUND. */
  stack(chain: ChainId): Digest[]
  /** The diff id of the topmost layer. Throws NOT_FOUND. */
  top(chain: ChainId): Digest
  /** What its topmost layer lies on; undefined: nothing. Throws NOT_FOUND. */
  parent(chain: ChainId): ChainId | undefined
  /** Throws NOT_FOUND for an unknown parent, CONFLICT `max depth exceeded`. */
  add(parent: ChainId | undefined, diffId: Digest): ChainId
  all(): { chain: ChainId; diffId: Digest; parent?: ChainId }[]
  /** The given chains and all below them. */
  closure(chains: Iterable<ChainId>): Set<ChainId>
  /** The chains that one of these layers is part of. */
  above(diffIds: ReadonlySet<Digest>): ChainId[]
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

  function downwards(chain: ChainId): Digest[] {
    const diffIds: Digest[] = []
    for (let next: ChainId | undefined = chain; next !== undefined; next = get(next).parent) diffIds.push(get(next).diffId)
    return diffIds
  }

  return {
    has: (chain) => rows.has(chain),
    layers: (chain) => [...new Set(downwards(chain))],
    stack: (chain) => downwards(chain).reverse(),
    top: (chain) => get(chain).diffId,
    parent: (chain) => get(chain).parent,
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
    above(diffIds) {
      const found = new Map<ChainId, boolean>()
      const isAbove = (chain: ChainId): boolean => {
        const row = rows.get(chain)
        const known =
          found.get(chain) ?? (row !== undefined && (diffIds.has(row.diffId) || (row.parent !== undefined && isAbove(row.parent))))
        found.set(chain, known)
        return known
      }
      return [...rows.keys()].filter(isAbove)
    },
    delete(chain) {
      repository.delete(chain)
      return () => void rows.delete(chain)
    },
  }
}
