import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { digestOf } from '#oci'
import type { Digest } from '#oci'
import { decodeCacheConfig, encodeCacheConfig } from './cache-config.ts'
import type { CachedLayer } from './cache-config.ts'

const id = (text: string): Digest => digestOf(Buffer.from(text))
const record = (name: string, layers: Digest[]) => ({
  key: id(name),
  aliases: [id(`${name}'`)],
  description: name,
  createdAt: 1_700_000_000_000,
  layers,
})
const [A, B, C] = [id('a'), id('b'), id('c')]
const CACHE = { records: [record('one', [A]), record('two', [A, B]), record('three', [C, B])] }
const blob = (diffId: Digest): [Digest, CachedLayer] => [
  diffId,
  { diffId, digest: id(`${diffId} gz`), size: 7, mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip' },
]
const BLOBS = new Map([blob(A), blob(B), blob(C)])

function decode(value: unknown): ReturnType<typeof decodeCacheConfig> {
  return decodeCacheConfig(Buffer.from(JSON.stringify(value)))
}

describe('cache config', () => {
  it('is read as it was written', () => {
    const { cache, blobs } = decodeCacheConfig(encodeCacheConfig(CACHE, BLOBS))
    assert.deepEqual(new Set(cache.records), new Set(CACHE.records))
    assert.deepEqual(blobs, BLOBS)
  })

  it('is the same whatever the order of the records', () => {
    const reversed = { records: CACHE.records.toReversed() }
    assert.deepEqual(encodeCacheConfig(reversed, BLOBS), encodeCacheConfig(CACHE, BLOBS))
  })

  it('has BuildKit’s frame: layers stand on each other by index, each once', () => {
    const config = JSON.parse(encodeCacheConfig(CACHE, BLOBS).toString())
    assert.equal(config.layers.length, 4)
    const two = config.records.find(({ digest }: { digest: Digest }) => digest === id('two'))
    const top = config.layers[two.layers[0].layer]
    assert.equal(top.blob, id(`${B} gz`))
    assert.equal(config.layers[top.parent].blob, id(`${A} gz`))
    assert.equal(config.layers[top.parent].parent, -1)
  })

  it('of BuildKit’s own gives no records, and no error', () => {
    const foreign = { layers: [{ blob: A, parent: -1 }], records: [{ digest: B, layers: [{ layer: 0 }], inputs: [[{ link: 1 }]] }] }
    assert.deepEqual(decode(foreign).cache.records, [])
  })

  it('survives what is wrong with it', () => {
    assert.deepEqual(decode({}).cache.records, [])
    assert.deepEqual(decode({ records: [null, 3, { digest: 'x' }], layers: [null] }).cache.records, [])
    const layers = [
      { parent: 1, annotations: { diffID: A } },
      { parent: 0, annotations: { diffID: B } },
    ]
    const circle = { layers, records: [{ digest: C, layers: [{ layer: 0 }], 'gantry.aliases': [] }] }
    assert.deepEqual(decode(circle).cache.records, [], 'a chain in a circle')
    const late = {
      layers: [{ parent: -1, annotations: { diffID: A } }],
      records: [{ digest: C, layers: [{ layer: 0, createdAt: '+275760-01-01T00:00:00Z' }], 'gantry.aliases': [] }],
    }
    assert.ok((decode(late).cache.records[0]?.createdAt ?? 0) < Date.UTC(10000, 0, 1), 'a time that nobody could write')
    assert.throws(() => decode({ records: 'many' }), /invalid cache config: records/)
  })
})
