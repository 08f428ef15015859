import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { encodeEntry, tarEntry } from '#archive'
import { requireArchive } from './require-archive.ts'

async function* inPieces(bytes: Buffer, length: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length)
}

test('requireArchive gives all bytes of an archive, however they come', async () => {
  const tar = Buffer.concat([encodeEntry(tarEntry({ path: 'f', size: 3 })).header, Buffer.from('abc')])
  for (const archive of [tar, gzipSync(tar), Buffer.alloc(1024)]) {
    for (const length of [1, 511, 10_000]) {
      const given = await Array.fromAsync(await requireArchive(inPieces(archive, length)))
      assert.deepEqual(Buffer.concat(given), archive)
    }
  }
})

test('requireArchive refuses a Dockerfile', async () => {
  for (const text of ['FROM base\n', `FROM base\n${'#'.repeat(1000)}\n`, ''])
    await assert.rejects(requireArchive(inPieces(Buffer.from(text), 100)), /^Error: ambiguous Dockerfile source/)
})
