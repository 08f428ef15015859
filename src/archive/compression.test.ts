import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { describe, it } from 'node:test'
import { buffer } from 'node:stream/consumers'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { decompress, detectCompression } from './compression.ts'
import type { Compression } from './compression.ts'

const PLAIN = Buffer.from('the same text over and over. '.repeat(10_000))

const COMPRESSED: Record<Compression, () => Buffer> = {
  none: () => PLAIN,
  gzip: () => gzipSync(PLAIN),
  zstd: () => zstdCompressSync(PLAIN),
  bzip2: () => spawnSync('bzip2', ['-c'], { input: PLAIN }).stdout,
  xz: () => spawnSync('xz', ['-c'], { input: PLAIN }).stdout,
}

/** Whether the system has the program that a compression needs. */
function isAvailable(compression: string): boolean {
  return !['bzip2', 'xz'].includes(compression) || spawnSync(compression, ['--version'], { input: '' }).error === undefined
}

async function* inPieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let position = 0; position < bytes.length; position += size) yield bytes.subarray(position, position + size)
}

describe('decompress', () => {
  for (const [name, make] of Object.entries(COMPRESSED)) {
    const skip = isAvailable(name) ? false : `${name} is not installed`

    it(`gives the content of ${name}`, { skip }, async () => {
      const { compression, chunks } = await decompress(inPieces(make(), 1000))
      assert.equal(compression, name)
      assert.deepEqual(await buffer(chunks), PLAIN)
    })

    it(`passes on an error of the source of ${name}`, { skip }, async () => {
      async function* broken(): AsyncGenerator<Buffer> {
        yield make().subarray(0, 100)
        throw new Error('connection reset')
      }
      await assert.rejects(async () => buffer((await decompress(broken())).chunks), { message: 'connection reset' })
    })

    if (name === 'none') continue
    it(`refuses truncated ${name}`, { skip }, async () => {
      const { chunks } = await decompress(inPieces(make().subarray(0, -10), 1000))
      await assert.rejects(buffer(chunks), { code: 'INVALID_ARGUMENT', message: new RegExp(`^Cannot decompress ${name}`) })
    })

    it(`stops ${name} that grows beyond the limit`, { skip }, async () => {
      const { chunks } = await decompress(inPieces(make(), 1000), { floor: 1000, ratio: 2 })
      await assert.rejects(buffer(chunks), { code: 'INVALID_ARGUMENT', message: /grow to more than/ })
    })

    it(`lets a consumer of ${name} leave early`, { skip }, async () => {
      const { chunks } = await decompress(inPieces(make(), 1000))
      for await (const chunk of chunks) {
        assert.ok(chunk.length > 0)
        break
      }
    })
  }

  it('gives nothing for nothing', async () => {
    const { compression, chunks } = await decompress(inPieces(Buffer.alloc(0), 1))
    assert.equal(compression, 'none')
    assert.equal((await buffer(chunks)).length, 0)
  })

  it('reads several gzip members as one', async () => {
    const { chunks } = await decompress(inPieces(Buffer.concat([gzipSync('one '), gzipSync('two')]), 5))
    assert.equal((await buffer(chunks)).toString(), 'one two')
  })
})

describe('detectCompression', () => {
  it('takes anything unknown or too short for uncompressed', () => {
    for (const bytes of [Buffer.alloc(0), Buffer.of(0x1f), Buffer.from('plain text')]) assert.equal(detectCompression(bytes), 'none')
  })
})
