import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { gunzipSync } from 'node:zlib'
import { digestOf } from '#oci'
import { createLayerCompressor } from './compress-layer.ts'

const LAYER = Buffer.concat([randomBytes(300_000), Buffer.alloc(300_000, 'text that compresses ')])
const open = (): Readable => Readable.from([LAYER.subarray(0, 1000), LAYER.subarray(1000)], { objectMode: false })

describe('createLayerCompressor', () => {
  it('gives gzip, its digest and its size, the same each time', async () => {
    const read: number[] = []
    const compressor = createLayerCompressor(open, (bytes) => read.push(bytes))
    const first = Buffer.concat(await Array.fromAsync(compressor.open()))
    assert.deepEqual(gunzipSync(first), LAYER)
    assert.deepEqual(compressor.result(), { digest: digestOf(first), size: first.length })
    assert.equal(read.at(-1), LAYER.length)
    assert.deepEqual(Buffer.concat(await Array.fromAsync(compressor.open())), first)
  })

  it('knows nothing before the end', async () => {
    const compressor = createLayerCompressor(open, () => {})
    assert.throws(() => compressor.result(), { code: 'INTERNAL' })
    await Array.fromAsync(compressor.open())
    for await (const _ of compressor.open()) break
    assert.throws(() => compressor.result(), { code: 'INTERNAL' })
  })

  it('throws what the layer cannot be read with', async () => {
    const broken = (): Readable => new Readable({ read: () => {}, construct: (done) => done(new Error('disk gone')) })
    await assert.rejects(Array.fromAsync(createLayerCompressor(broken, () => {}).open()), /disk gone/)
  })

  it('stops reading when nobody wants it any more, or its signal comes', async () => {
    const sources: Readable[] = []
    const endless = (): Readable => {
      const source = new Readable({ read: () => void source.push(randomBytes(64 * 1024)) })
      sources.push(source)
      return source
    }
    const compressor = createLayerCompressor(endless, () => {})
    for await (const _ of compressor.open()) break
    const stop = new AbortController()
    await assert.rejects(
      (async () => {
        for await (const _ of compressor.open(stop.signal)) stop.abort()
      })(),
      { name: 'AbortError' },
    )
    await new Promise((resolve) => setImmediate(resolve))
    assert.deepEqual(
      sources.map(({ destroyed }) => destroyed),
      [true, true],
    )
  })
})
