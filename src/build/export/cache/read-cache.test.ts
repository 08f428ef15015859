import assert from 'node:assert/strict'
import { it } from 'node:test'
import { digestOf } from '#oci'
import { CACHE_CONFIG_TYPE, encodeCacheConfig, MAX_CACHE_CONFIG } from './cache-config.ts'
import { readCacheManifest } from './read-cache.ts'

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json'

it('readCacheManifest refuses an index of caches that are large together', async () => {
  const { records } = JSON.parse(encodeCacheConfig({ records: [] }, undefined).toString()) as { records: unknown[] }
  const config = Buffer.from(JSON.stringify({ layers: [], records, filling: 'x'.repeat(MAX_CACHE_CONFIG / 4) }))
  const descriptor = { mediaType: CACHE_CONFIG_TYPE, digest: digestOf(config), size: config.length }
  const manifest = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST, config: descriptor, layers: [] }))
  const inner = { mediaType: MANIFEST, digest: digestOf(manifest), size: manifest.length }
  const read = async (count: number): Promise<number> => {
    const index = {
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.index.v1+json',
      manifests: Array.from({ length: count }, () => inner),
    }
    let reads = 0
    await readCacheManifest(Buffer.from(JSON.stringify(index)), { read: async () => (reads++, config), manifest: async () => manifest })
    return reads
  }
  assert.equal(await read(3), 3)
  await assert.rejects(read(5), { code: 'INVALID_ARGUMENT', message: /is too large/ })
})
