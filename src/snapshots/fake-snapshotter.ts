import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { createTarDecoder, decompress, END_OF_ARCHIVE } from '#archive'
import type { ContentStore, Lease } from '#content'
import { conflict, invalidArgument, notFound } from '#errors'
import { createMemoryMetadata } from '#metadata'
import { createDigester, digestOf } from '#oci'
import type { Digest } from '#oci'
import { createChainStore } from './chain-store.ts'
import type { Change, ChainId, DraftLayers, Layer, Snapshotter } from './types.ts'
import { awaitWhole } from './unpack/read-blob.ts'

/** A {@link Snapshotter} that unpacks nothing and needs no root: layers are measured, writable layers are what the test says they are. */
export interface FakeSnapshotter extends Snapshotter, DraftLayers {
  /** What `diff`, `changes` and `usage` give for a writable layer, and what a step leaves; nothing changed by default. */
  write(key: string, changes: { tar: Buffer; changes?: Change[]; size?: number }): void
}

interface FakeDraft {
  tar: Buffer
  sealed?: Digest
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
  const drafts = new Map<Digest, FakeDraft>()

  function snapshot(key: string): FakeSnapshot {
    const found = snapshots.get(key)
    if (found === undefined) throw notFound(`snapshot ${key}: not found`)
    return found
  }

  function layer(chain: ChainId): Layer {
    const top = chains.top(chain)
    const found = layers.get(drafts.get(top)?.sealed ?? top)
    if (found === undefined) throw notFound(`layer ${chain}: not found`)
    return found
  }

  const layerPaths = (chain: ChainId | undefined): string[] =>
    chain === undefined ? [] : chains.layers(chain).map((id) => `/layers/${drafts.get(id)?.sealed ?? id}`)

  async function prepare(key: string, parent: ChainId | undefined): Promise<void> {
    if (snapshots.has(key)) throw conflict(`snapshot ${key} already exists`)
    layerPaths(parent)
    snapshots.set(key, { parent, tar: END_OF_ARCHIVE, changes: [], size: 0 })
  }

  function stack(parent: ChainId | undefined, id: Digest, lease: Lease): ChainId {
    if (!layers.has(id) && !drafts.has(id)) throw notFound(`layer ${id}: not found`)
    const chain = chains.add(parent, id)
    lease.hold(chain)
    return chain
  }

  /** Times are nothing that a fake knows: rewriting them changes nothing. */
  async function sealDraft(draft: FakeDraft, lease: Lease): Promise<Digest> {
    const { digest } = await content.ingest([draft.tar], { lease })
    const sealed = await measure([draft.tar], digest)
    layers.set(sealed.diffId, layers.get(sealed.diffId) ?? sealed)
    draft.sealed = sealed.diffId
    lease.hold(sealed.diffId)
    return sealed.diffId
  }

  return {
    async unpack(blob, { diffId, lease, signal, growing }) {
      signal?.throwIfAborted()
      if (growing !== undefined) await awaitWhole({ growing: growing.progress, ...(signal !== undefined && { signal }) })
      const measured = await measure(uncompressed(content, await blob), await blob)
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
    stack,
    has: (chain) => chains.has(chain),
    layer,
    findLayer: (diffId) => layers.get(diffId),
    blobs: () => new Set(layers.values().map(({ blob }) => blob)),
    spareBlobs: () => new Set(),
    layerPaths,
    prepare,
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
    diskUsage: async () => ({
      layers: new Map(layers.values().map(({ diffId, size }) => [diffId, size])),
      drafts: new Map([...drafts].flatMap(([id, { tar, sealed }]) => (sealed === undefined ? [[id, tar.length]] : []))),
      other: 0,
    }),
    changes: async (key) => snapshot(key).changes,
    diff: (key) => Readable.from([snapshot(key).tar], { objectMode: false }),
    layerTar: (chain) => Readable.from(uncompressed(content, layer(chain).blob), { objectMode: false }),
    view() {
      throw notFound('a fake snapshotter has no files to view')
    },
    collect(used) {
      const owned = snapshots.values().flatMap(({ parent }) => (parent === undefined ? [] : [parent]))
      const keep = chains.closure([...used, ...owned, ...chains.all().flatMap(({ chain }) => (content.isHeld(chain) ? [chain] : []))])
      const named = chains.all().flatMap(({ chain, diffId }) => (keep.has(chain) ? [diffId] : []))
      const needed = new Set(named.flatMap((id) => [id, drafts.get(id)?.sealed ?? id]))
      for (const { chain } of chains.all()) if (!keep.has(chain)) chains.delete(chain)()
      for (const diffId of layers.keys()) if (!needed.has(diffId) && !content.isHeld(diffId)) layers.delete(diffId)
      for (const id of drafts.keys()) if (!needed.has(id) && !content.isHeld(id)) drafts.delete(id)
    },
    async restore(keys) {
      for (const key of snapshots.keys()) if (!keys.has(key)) snapshots.delete(key)
    },
    async settled() {},
    prepareStep: (key, parent) => prepare(key, parent),
    mountStep() {
      throw notFound('a fake snapshotter has no files to mount')
    },
    async commitStep(key, lease) {
      const { parent, tar } = snapshot(key)
      const id: Digest = `sha256:${randomBytes(32).toString('hex')}`
      if (tar !== END_OF_ARCHIVE) drafts.set(id, { tar })
      const chain = tar === END_OF_ARCHIVE ? parent : chains.add(parent, id)
      if (chain !== undefined) lease.hold(chain)
      snapshots.delete(key)
      return chain
    },
    layersOf: (chain) => chains.stack(chain).map((id) => ({ id, isDraft: drafts.has(id) })),
    async seal(chain, { lease, signal }) {
      lease.hold(chain)
      let sealed: ChainId | undefined
      for (const id of chains.stack(chain)) {
        const draft = drafts.get(id)
        sealed = stack(sealed, draft === undefined ? id : (draft.sealed ?? (await sealDraft(draft, lease))), lease)
        signal?.throwIfAborted()
      }
      return sealed ?? chain
    },
    async draftUsage(chain) {
      const draft = drafts.get(chains.top(chain))
      const { size, inodes } = draft === undefined ? layer(chain) : await measure([draft.tar], digestOf(draft.tar))
      return { size, inodes }
    },
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
async function measure(tar: AsyncIterable<Buffer> | Iterable<Buffer>, blob: Digest): Promise<Layer> {
  const digester = createDigester()
  const decoder = createTarDecoder()
  const layer = { tarSize: 0, size: 0, inodes: 0 }
  for await (const chunk of tar) {
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
