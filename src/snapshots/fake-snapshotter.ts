import { Readable } from 'node:stream'
import { createTarDecoder, decompress, END_OF_ARCHIVE } from '#archive'
import type { ContentStore } from '#content'
import { conflict, invalidArgument, notFound } from '#errors'
import { createMemoryMetadata } from '#metadata'
import { createDigester } from '#oci'
import type { Digest } from '#oci'
import { createChainStore } from './chain-store.ts'
import type { Change, ChainId, Layer, Snapshotter } from './types.ts'
import { awaitWhole } from './unpack/read-blob.ts'

/** A {@link Snapshotter} that unpacks nothing and needs no root: layers are measured, writable layers are what the test says they are. */
export interface FakeSnapshotter extends Snapshotter {
  /** What `diff`, `changes` and `usage` give for a writable layer; nothing changed by default. */
  write(key: string, changes: { tar: Buffer; changes?: Change[]; size?: number }): void
}

interface FakeSnapshot {
  parent: ChainId | undefined
  tar: Buffer
  changes: Change[]
  size: number
}

export function createFakeSnapshotter(deps: { content: ContentStore }): FakeSnapshotter {
  const { content } = deps
  const layers = new Map<Digest, Layer>()
  const chains = createChainStore({ metadata: createMemoryMetadata() })
  const snapshots = new Map<string, FakeSnapshot>()

  function snapshot(key: string): FakeSnapshot {
    const found = snapshots.get(key)
    if (found === undefined) throw notFound(`snapshot ${key}: not found`)
    return found
  }

  function layer(chain: ChainId): Layer {
    const found = layers.get(chains.top(chain))
    if (found === undefined) throw notFound(`layer ${chain}: not found`)
    return found
  }

  const layerPaths = (chain: ChainId | undefined): string[] =>
    chain === undefined ? [] : chains.layers(chain).map((diffId) => `/layers/${diffId}`)

  return {
    async unpack(blob, { diffId, lease, signal, growing }) {
      signal?.throwIfAborted()
      if (growing !== undefined) await awaitWhole({ growing: growing.progress, ...(signal !== undefined && { signal }) })
      const measured = await measure(content, await blob)
      if (diffId !== undefined && diffId !== measured.diffId) {
        throw invalidArgument(
          `layers from manifest don't match image configuration: layer has digest ${measured.diffId}, expected ${diffId}`,
        )
      }
      const known = layers.get(measured.diffId) ?? measured
      layers.set(known.diffId, known)
      lease.hold(known.diffId)
      lease.hold(known.blob)
      return known
    },
    stack(parent, diffId, lease) {
      if (!layers.has(diffId)) throw notFound(`layer ${diffId}: not found`)
      const chain = chains.add(parent, diffId)
      lease.hold(chain)
      return chain
    },
    has: (chain) => chains.has(chain),
    layer,
    findLayer: (diffId) => layers.get(diffId),
    blobs: () => new Set(layers.values().map(({ blob }) => blob)),
    spareBlobs: () => new Set(),
    layerPaths,
    async prepare(key, parent) {
      if (snapshots.has(key)) throw conflict(`snapshot ${key} already exists`)
      layerPaths(parent)
      snapshots.set(key, { parent, tar: END_OF_ARCHIVE, changes: [], size: 0 })
    },
    overlay(key, options) {
      return {
        ...(options?.volatile === true && { volatile: true }),
        cwd: '/',
        lower: ['/init', ...layerPaths(snapshot(key).parent)],
        upper: `/snapshots/${key}/upper`,
        work: `/snapshots/${key}/work`,
      }
    },
    imageOverlay: (chain) => ({ cwd: '/', lower: layerPaths(chain), upper: '', work: '' }),
    async remove(key) {
      snapshots.delete(key)
    },
    usage: async (key) => ({ size: snapshot(key).size, inodes: snapshot(key).changes.length, disk: snapshot(key).size }),
    diskUsage: async () => ({ layers: new Map(layers.values().map(({ diffId, size }) => [diffId, size])), other: 0 }),
    changes: async (key) => snapshot(key).changes,
    diff: (key) => Readable.from([snapshot(key).tar], { objectMode: false }),
    layerTar: (chain) => Readable.from(uncompressed(content, layer(chain).blob), { objectMode: false }),
    view() {
      throw notFound('a fake snapshotter has no files to view')
    },
    collect(used) {
      const owned = snapshots.values().flatMap(({ parent }) => (parent === undefined ? [] : [parent]))
      const keep = chains.closure([...used, ...owned, ...chains.all().flatMap(({ chain }) => (content.isHeld(chain) ? [chain] : []))])
      const needed = new Set(chains.all().flatMap(({ chain, diffId }) => (keep.has(chain) ? [diffId] : [])))
      for (const { chain } of chains.all()) if (!keep.has(chain)) chains.delete(chain)()
      for (const diffId of layers.keys()) if (!needed.has(diffId) && !content.isHeld(diffId)) layers.delete(diffId)
    },
    async restore(keys) {
      for (const key of snapshots.keys()) if (!keys.has(key)) snapshots.delete(key)
    },
    async settled() {},
    write(key, { tar, changes = [], size = 0 }) {
      snapshots.set(key, { parent: snapshot(key).parent, tar, changes, size })
    },
  }
}

async function* uncompressed(content: ContentStore, blob: Digest): AsyncGenerator<Buffer, void, void> {
  const { chunks } = await decompress(content.read(blob) as AsyncIterable<Buffer>)
  yield* chunks
}

/** Reads a layer as unpacking does, without writing it. */
async function measure(content: ContentStore, blob: Digest): Promise<Layer> {
  const digester = createDigester()
  const decoder = createTarDecoder()
  const layer = { tarSize: 0, size: 0, inodes: 0 }
  for await (const chunk of uncompressed(content, blob)) {
    digester.update(chunk)
    layer.tarSize += chunk.length
    for (const event of decoder.push(chunk)) {
      if (event.kind !== 'entry') continue
      layer.inodes++
      layer.size += event.entry.size
    }
  }
  decoder.finish()
  return { diffId: digester.digest(), blob, ...layer }
}
