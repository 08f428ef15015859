import assert from 'node:assert/strict'
import { mkdtempDisposableSync, readdirSync, readlinkSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { describe, it } from 'node:test'
import { digestOf } from '#oci'
import { createContentStore } from './content-store.ts'
import { nextGrowth } from './growing-blob.ts'
import type { Growth } from './growing-blob.ts'
import type { ContentStore, GrowingBlob } from './types.ts'

/** A store in a directory of its own, and how many files it has unfinished. */
function setUp(): Disposable & { content: ContentStore; root: string; unfinished: () => number } {
  const directory = mkdtempDisposableSync(join(tmpdir(), 'content-'))
  return {
    content: createContentStore({ root: directory.path }),
    root: directory.path,
    unfinished: () => readdirSync(join(directory.path, 'ingest')).length,
    [Symbol.dispose]: () => directory.remove(),
  }
}

const HELLO = Buffer.from('hello')

describe('ContentStore', () => {
  it('gives back what was ingested', async () => {
    using test = setUp()
    using lease = test.content.lease()
    const big = Buffer.alloc(3 * 1024 * 1024 + 17, 'abc')
    const chunks = Array.from({ length: Math.ceil(big.length / 65_536) }, (_, i) => big.subarray(i * 65_536, (i + 1) * 65_536))
    const blob = await test.content.ingest(chunks, { lease })
    assert.deepEqual(blob, { digest: digestOf(big), size: big.length })
    assert.deepEqual(await buffer(test.content.read(blob.digest)), big)
    assert.deepEqual(test.content.readAll(blob.digest, big.length), big)
    assert.equal(test.content.size(blob.digest), big.length)
    assert.deepEqual(test.content.list(), [blob])
    assert.equal(test.unfinished(), 0)
  })

  it('ingest refuses another digest and leaves nothing', async () => {
    using test = setUp()
    using lease = test.content.lease()
    const wrong = digestOf('something else')
    await assert.rejects(test.content.ingest([HELLO], { lease, digest: wrong }), { code: 'INVALID_ARGUMENT', message: /expected sha256:/ })
    assert.equal(test.content.has(wrong), false)
    assert.deepEqual(test.content.list(), [])
    assert.equal(test.unfinished(), 0)
  })

  it('ingest refuses more and fewer bytes than expected', async () => {
    using test = setUp()
    using lease = test.content.lease()
    await assert.rejects(test.content.ingest([HELLO, HELLO], { lease, size: 7 }), /longer than the expected 7 bytes/)
    await assert.rejects(test.content.ingest([HELLO], { lease, size: 7 }), /5 bytes, expected 7/)
    assert.equal(test.unfinished(), 0)
  })

  it('ingest passes on the error of its source and leaves nothing', async () => {
    using test = setUp()
    using lease = test.content.lease()
    async function* broken(): AsyncGenerator<Buffer> {
      yield HELLO
      throw new Error('connection reset')
    }
    await assert.rejects(test.content.ingest(broken(), { lease }), /connection reset/)
    assert.equal(test.unfinished(), 0)
  })

  it('ingest stops when its signal aborts', async () => {
    using test = setUp()
    using lease = test.content.lease()
    const abort = new AbortController()
    async function* endless(): AsyncGenerator<Buffer> {
      for (;;) {
        yield HELLO
        abort.abort()
      }
    }
    await assert.rejects(test.content.ingest(endless(), { lease, signal: abort.signal }), { name: 'AbortError' })
    assert.equal(test.unfinished(), 0)
  })

  it('ingest says how far the blob has grown', async () => {
    using test = setUp()
    using lease = test.content.lease()
    const megabyte = Buffer.alloc(1024 * 1024, 'm')
    const seen: Growth[] = []
    let blob: GrowingBlob | undefined
    async function* source(): AsyncGenerator<Buffer> {
      for (let i = 1; i <= 3; i++) {
        yield megabyte
        assert.ok(blob)
        seen.push(await nextGrowth(blob, (i - 1) * megabyte.length))
        assert.ok(statSync(blob.path).size >= i * megabyte.length)
      }
    }
    await test.content.ingest(source(), { lease, growing: (growing) => (blob = growing) })
    assert.deepEqual(
      seen,
      [1, 2, 3].map((count) => ({ bytes: count * megabyte.length, state: 'growing' })),
    )
    assert.ok(blob)
    assert.deepEqual(await nextGrowth(blob, Infinity), { bytes: 3 * megabyte.length, state: 'whole' })
  })

  it('ingest that fails says so to those who follow the blob', async () => {
    using test = setUp()
    using lease = test.content.lease()
    let blob: GrowingBlob | undefined
    const growing = (started: GrowingBlob): void => void (blob = started)
    await assert.rejects(test.content.ingest([HELLO], { lease, digest: digestOf('other'), growing }))
    assert.ok(blob)
    assert.equal((await nextGrowth(blob, Infinity)).state, 'failed')
  })

  it('ingest of the same content at the same time stores it once', async () => {
    using test = setUp()
    using lease = test.content.lease()
    const blobs = await Promise.all(Array.from({ length: 8 }, () => test.content.ingest([HELLO], { lease })))
    assert.equal(new Set(blobs.map((blob) => blob.digest)).size, 1)
    assert.equal(test.content.list().length, 1)
    assert.equal(test.unfinished(), 0)
  })

  it('durable waits for all that was ingested, and leaves no file open', async () => {
    using test = setUp()
    using lease = test.content.lease()
    await Promise.all(Array.from({ length: 200 }, (_, i) => test.content.ingest([Buffer.from(String(i))], { lease })))
    await lease.durable()
    assert.deepEqual(openFiles(test.root), [])
    assert.equal(test.content.list().length, 200)
  })

  it('read, readAll and size throw NOT_FOUND for what is not there', () => {
    using test = setUp()
    const digest = digestOf('nothing')
    for (const call of [() => test.content.read(digest), () => test.content.readAll(digest, 1), () => test.content.size(digest)]) {
      assert.throws(call, { code: 'NOT_FOUND' })
    }
  })

  it('readAll refuses a blob over the limit', async () => {
    using test = setUp()
    using lease = test.content.lease()
    const { digest } = await test.content.ingest([HELLO], { lease })
    assert.throws(() => test.content.readAll(digest, 4), { code: 'INVALID_ARGUMENT' })
  })

  it('collect keeps what is named or leased and frees the rest', async () => {
    using test = setUp()
    using lease = test.content.lease()
    const held = await test.content.ingest([Buffer.from('held')], { lease })
    const named = await ingestUnleased(test.content, 'named')
    const loose = await ingestUnleased(test.content, 'loose')
    assert.equal(await test.content.collect(new Set([named])), 'loose'.length)
    assert.equal(test.content.has(loose), false)
    assert.equal(test.content.has(named), true)
    assert.equal(test.content.has(held.digest), true)
  })

  it('collect does not take what becomes named while it deletes', async () => {
    using test = setUp()
    for (let i = 0; i < 20; i++) await ingestUnleased(test.content, `loose ${i}`)
    const lease = test.content.lease()
    const { digest } = await test.content.ingest([HELLO], { lease })
    const collected = test.content.collect(new Set())
    // From here on a row would name it, which the collection under way cannot know.
    lease[Symbol.dispose]()
    await collected
    assert.equal(test.content.has(digest), true)
    assert.equal(test.unfinished(), 0)
  })

  it('collect does not take what comes back meanwhile', async () => {
    using test = setUp()
    using lease = test.content.lease()
    const digest = await ingestUnleased(test.content, 'hello')
    const collected = test.content.collect(new Set())
    await test.content.ingest([HELLO], { lease })
    await collected
    assert.equal(test.content.has(digest), true)
  })

  it('restore removes what interrupted ingests left', async () => {
    using test = setUp()
    writeFileSync(join(test.root, 'ingest', 'left-over'), 'half')
    await test.content.restore()
    assert.equal(test.unfinished(), 0)
  })
})

function openFiles(directory: string): string[] {
  const targets = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`)
    } catch {
      return '' // the descriptor that was used to look
    }
  })
  return targets.filter((target) => target.startsWith(directory))
}

async function ingestUnleased(content: ContentStore, text: string): Promise<ReturnType<typeof digestOf>> {
  using lease = content.lease()
  return (await content.ingest([Buffer.from(text)], { lease })).digest
}
