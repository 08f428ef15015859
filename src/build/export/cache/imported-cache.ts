import type { Lease } from '#content'
import { notFound } from '#errors'
import { inParallel, KeyedMutex } from '#lib'
import type { Digest } from '#oci'
import type { ChainId } from '#snapshots'
import type { ImportedCache, PortableCache, Step } from '../../types.ts'
import type { ExporterDeps } from '../types.ts'
import type { CachedLayer, DecodedCache } from './cache-config.ts'

type ImportDeps = Pick<ExporterDeps, 'content' | 'snapshotter'>

/** Where layers of a cache come from. */
export interface LayerOrigin {
  fetchBlob(blob: CachedLayer, options: { signal: AbortSignal }): AsyncIterable<Buffer>
}

/** A cache whose description has been read. `origin`: where its layers are; undefined: all are here. */
export function importedCache(deps: ImportDeps, origin: LayerOrigin | undefined, { cache, blobs }: DecodedCache): ImportedCache {
  const { content, snapshotter } = deps
  const records = recordsByKey(cache)
  // Steps of one build stand on the same layers: each comes once.
  const mutex = new KeyedMutex()

  async function fetchLayer(diffId: Digest, { lease, status }: Pick<Step, 'lease' | 'status'>, signal: AbortSignal): Promise<void> {
    using _lock = await mutex.lock(diffId)
    if (hold(diffId, lease)) return
    const blob = blobs.get(diffId)
    if (blob === undefined || origin === undefined) throw notFound(`layer ${diffId} of the imported cache: not found`)
    const { digest, size } = blob
    const chunks = reported(origin.fetchBlob(blob, { signal }), blob, status)
    lease.hold(digest)
    if (!content.has(digest)) await content.ingest(chunks, { lease, digest, size, signal })
    await snapshotter.unpack(digest, { lease, diffId, signal })
    status(digest, { current: size, total: size, done: true })
  }

  function hold(diffId: Digest, lease: Lease): boolean {
    lease.hold(diffId) // before the look: a collection must not come in between
    return snapshotter.findLayer(diffId) !== undefined
  }

  return {
    find: (key) => records.get(key),
    async fetch(diffIds, step) {
      await inParallel([...new Set(diffIds)], step.signal, (diffId, signal) => fetchLayer(diffId, step, signal))
      const chain = diffIds.reduce<ChainId | undefined>((below, diffId) => snapshotter.stack(below, diffId, step.lease), undefined)
      return { kind: 'layers', chain }
    },
  }
}

/** A record's own key counts more than what is another one's alias. */
function recordsByKey({ records }: PortableCache): Map<Digest, PortableCache['records'][number]> {
  const found = new Map<Digest, PortableCache['records'][number]>()
  for (const record of records) for (const alias of record.aliases) found.set(alias, record)
  for (const record of records) found.set(record.key, record)
  return found
}

async function* reported(
  chunks: AsyncIterable<Buffer>,
  { digest, size }: CachedLayer,
  status: Step['status'],
): AsyncGenerator<Buffer, void, void> {
  let current = 0
  for await (const chunk of chunks) {
    current += chunk.length
    status(digest, { current, total: size })
    yield chunk
  }
}
