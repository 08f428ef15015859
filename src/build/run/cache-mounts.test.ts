import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { createFiles } from '#kernel'
import { createMemoryMetadata, type Metadata } from '#metadata'
import type { CacheMount } from '../graph/types.ts'
import { createCacheMounts } from './cache-mounts.ts'
import type { CacheMountRequest, CacheMounts } from './types.ts'

describe('createCacheMounts', () => {
  let directory: string
  let metadata: Metadata
  let caches: CacheMounts
  const reported: unknown[] = []
  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'gantry-caches-'))
    metadata = createMemoryMetadata()
    caches = open()
    await caches.restore()
  })
  afterEach(async () => {
    await caches.settled()
    rmSync(directory, { recursive: true })
    assert.deepEqual(reported, [])
  })

  function open(): CacheMounts {
    return createCacheMounts({
      directory,
      repository: metadata.repository('cacheMounts'),
      files: createFiles(),
      // Nothing is copied here.
      snapshotter: { view: () => assert.fail() },
      jobs: { run: () => assert.fail(), [Symbol.asyncDispose]: async () => undefined },
      report: (error) => reported.push(error),
    })
  }

  function acquire(
    sharing: CacheMount['sharing'],
    user: string,
    changes: Partial<CacheMountRequest> = {},
  ): ReturnType<CacheMounts['acquire']> {
    const mount: CacheMount = {
      type: 'cache',
      target: '/c',
      id: 'id',
      sharing,
      readonly: false,
      input: -1,
      selector: '',
      mode: 0o755,
      uid: process.getuid?.() ?? 0,
      gid: process.getgid?.() ?? 0,
    }
    return caches.acquire({ mount, base: undefined, user, step: 'make', signal: new AbortController().signal, ...changes })
  }

  /** Whether it is settled after everything else has had its turn. */
  async function isWaiting(promise: Promise<unknown>): Promise<boolean> {
    return await Promise.race([promise.then(() => false), new Promise<boolean>((resolve) => setTimeout(resolve, 20, true))])
  }

  it('gives who shares the same, at any time', async () => {
    const [a, b] = await Promise.all([acquire('shared', 'a'), acquire('shared', 'b')])
    assert.equal(a.path, b.path)
    a[Symbol.dispose]()
    b[Symbol.dispose]()
    using again = await acquire('shared', 'c')
    assert.equal(again.path, a.path)
  })

  it('gives who wants it alone another one while it is in use, and keeps both', async () => {
    const a = await acquire('private', 'a')
    const b = await acquire('private', 'b')
    assert.notEqual(a.path, b.path)
    a[Symbol.dispose]()
    b[Symbol.dispose]()
    assert.equal((await caches.list()).length, 2)
    using again = await acquire('private', 'c')
    assert.equal(again.path, a.path)
  })

  it('lets who locks it wait for all others, in turn', async () => {
    const shared = await acquire('shared', 'a')
    const first = acquire('locked', 'b')
    const second = acquire('locked', 'c')
    assert.equal(await isWaiting(first), true)
    shared[Symbol.dispose]()
    const held = await first
    assert.equal(held.path, shared.path)
    assert.equal(await isWaiting(second), true)
    held[Symbol.dispose]()
    using last = await second
    assert.equal(last.path, held.path)
  })

  it('gives a step that has it already the same, and counts its mounts', async () => {
    const a = await acquire('locked', 'a')
    const b = await acquire('locked', 'a')
    assert.equal(a.path, b.path)
    const other = acquire('locked', 'b')
    a[Symbol.dispose]()
    a[Symbol.dispose]()
    assert.equal(await isWaiting(other), true)
    b[Symbol.dispose]()
    ;(await other)[Symbol.dispose]()
  })

  it('stops waiting when it is told to', async () => {
    using _held = await acquire('locked', 'a')
    const abort = new AbortController()
    const waiting = acquire('locked', 'b', { signal: abort.signal })
    abort.abort(new Error('enough'))
    await assert.rejects(waiting, { message: 'enough' })
  })

  it('finds them again after a restart, without what was half made or deleted', async () => {
    const { path, ...use } = await acquire('shared', 'a')
    use[Symbol.dispose]()
    writeFileSync(join(path, 'file'), 'text')
    mkdirSync(join(directory, '.half'))
    const gone = await acquire('private', 'b', {})
    gone[Symbol.dispose]()
    caches = open()
    await caches.restore()
    await caches.settled()
    using again = await acquire('shared', 'c')
    assert.equal(again.path, path)
    assert.ok(existsSync(join(path, 'file')))
    assert.equal(
      readdirSync(directory).some((name) => name.startsWith('.')),
      false,
    )
  })

  it('forgets one whose directory is gone', async () => {
    const { path, ...use } = await acquire('shared', 'a')
    use[Symbol.dispose]()
    rmSync(path, { recursive: true })
    caches = open()
    await caches.restore()
    assert.deepEqual(await caches.list(), [])
  })

  it('retires caches by name: who has one keeps it, others get a new one', async () => {
    const held = await acquire('shared', 'a')
    caches.retire(new Set(['other']))
    caches.retire(new Set(['id']))
    const next = await acquire('shared', 'b')
    assert.notEqual(next.path, held.path)
    assert.ok(existsSync(held.path))
    held[Symbol.dispose]()
    assert.equal(existsSync(held.path), false)
    next[Symbol.dispose]()
    caches.retire(new Set(['id']))
    assert.deepEqual(await caches.list(), [])
    assert.equal(existsSync(next.path), false)
  })

  it('removes after a restart what was retired while it was in use', async () => {
    const held = await acquire('shared', 'a')
    caches.retire(new Set(['id']))
    caches = open()
    await caches.restore()
    assert.equal(existsSync(held.path), false)
    assert.deepEqual(await caches.list(), [])
  })

  it('counts uses', async () => {
    const before = Date.now()
    for (const user of ['a', 'b']) (await acquire('shared', user))[Symbol.dispose]()
    const [record] = await caches.list()
    assert.ok(record !== undefined && record.usageCount === 2 && (record.lastUsedAt ?? 0) >= before)
    assert.equal(record.description, 'cached mount /c from exec make with id "id"')
  })
})
