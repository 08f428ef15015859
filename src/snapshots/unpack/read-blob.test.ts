import assert from 'node:assert/strict'
import { mkdtempDisposableSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { describe, it } from 'node:test'
import { createContentStore } from '#content'
import type { GrowingBlob } from '#content'
import { digestOf } from '#oci'
import { awaitWhole, readBlob } from './read-blob.ts'

const MIB = 1024 * 1024

/** An ingest whose source gives what `send` is called with, until `end`. */
async function growingBlob(
  directory: string,
  expected: Buffer,
): Promise<{ blob: GrowingBlob; send: (bytes: Buffer) => void; end: () => void; ingested: Promise<unknown> }> {
  const content = createContentStore({ root: directory })
  const source = new TransformStream<Buffer, Buffer>(undefined, { highWaterMark: 100 })
  const writer = source.writable.getWriter()
  const started = Promise.withResolvers<GrowingBlob>()
  const ingested = content.ingest(source.readable, { lease: content.lease(), digest: digestOf(expected), growing: started.resolve })
  ingested.catch(() => {})
  return { blob: await started.promise, send: (bytes) => void writer.write(bytes), end: () => void writer.close(), ingested }
}

describe('readBlob', () => {
  it('gives a file from first to last byte', async () => {
    using directory = mkdtempDisposableSync(join(tmpdir(), 'read-blob-'))
    const path = join(directory.path, 'blob')
    const bytes = Buffer.alloc(3 * MIB + 5, 'xyz')
    writeFileSync(path, bytes)
    const progress: number[] = []
    assert.deepEqual(await buffer(readBlob(path, { progress: (read) => progress.push(read) })), bytes)
    assert.equal(progress.at(-1), bytes.length)
  })

  it('follows a file that grows, and ends when it is whole', async () => {
    using directory = mkdtempDisposableSync(join(tmpdir(), 'read-blob-'))
    const bytes = Buffer.alloc(5 * MIB, 'growing')
    const growing = await growingBlob(directory.path, bytes)
    const chunks = readBlob(growing.blob.path, { growing: growing.blob.progress })
    growing.send(bytes.subarray(0, 2 * MIB))
    const first = await chunks.next()
    assert.ok(first.done !== true && first.value.length > 0, 'nothing was read while it grew')
    growing.send(bytes.subarray(2 * MIB))
    growing.end()
    const rest = await buffer(chunks)
    await growing.ingested
    assert.deepEqual(Buffer.concat([first.value, rest]), bytes)
    await awaitWhole({ growing: growing.blob.progress })
  })

  it('never reads beyond what is written', async () => {
    using directory = mkdtempDisposableSync(join(tmpdir(), 'read-blob-'))
    const bytes = Buffer.alloc(2 * MIB, 'z')
    const growing = await growingBlob(directory.path, bytes)
    const chunks = readBlob(growing.blob.path, { growing: growing.blob.progress })
    growing.send(bytes.subarray(0, MIB))
    for (let read = 0; read < MIB;) read += (await chunks.next()).value?.length ?? 0
    const pending = chunks.next()
    assert.equal(await Promise.race([pending, new Promise((resolve) => setTimeout(resolve, 20, 'waits'))]), 'waits')
    growing.send(bytes.subarray(MIB))
    growing.end()
    assert.equal((await pending).value?.length, MIB / 2)
    await buffer(chunks)
    await growing.ingested
  })

  it('throws CANCELLED when the content turns out to be wrong', async () => {
    using directory = mkdtempDisposableSync(join(tmpdir(), 'read-blob-'))
    const growing = await growingBlob(directory.path, Buffer.from('expected'))
    const read = buffer(readBlob(growing.blob.path, { growing: growing.blob.progress }))
    growing.send(Buffer.from('something else'))
    growing.end()
    await assert.rejects(read, { code: 'CANCELLED' })
    await assert.rejects(growing.ingested, { code: 'INVALID_ARGUMENT' })
    await assert.rejects(awaitWhole({ growing: growing.blob.progress }), { code: 'CANCELLED' })
  })

  it('stops waiting when its signal aborts', async () => {
    using directory = mkdtempDisposableSync(join(tmpdir(), 'read-blob-'))
    const bytes = Buffer.from('never sent')
    const growing = await growingBlob(directory.path, bytes)
    const abort = new AbortController()
    const read = buffer(readBlob(growing.blob.path, { growing: growing.blob.progress, signal: abort.signal }))
    abort.abort(new Error('enough'))
    await assert.rejects(read, { message: 'enough' })
    growing.send(bytes)
    growing.end()
    await growing.ingested
  })
})
