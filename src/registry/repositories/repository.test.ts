import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { digestOf, MEDIA_TYPES } from '#oci'
import { openFileStorage } from '../storage/file-system/file-storage.ts'
import type { RegistryStorage } from '../storage/types.ts'
import { imageManifest } from '../testing/registry-under-test.ts'
import { createBlobKeeper } from './blob-keeper.ts'
import { readManifest, type ManifestDocument } from './manifest-document.ts'
import { createRepositories } from './repositories.ts'
import type { BlobKeeper, Repositories } from './types.ts'

interface Model extends AsyncDisposable {
  storage: RegistryStorage
  keeper: BlobKeeper
  repositories: Repositories
}

async function openModel(): Promise<Model> {
  const root = await mkdtemp(join(tmpdir(), 'registry-model-'))
  const storage = await openFileStorage({ root, sync: false })
  const keeper = createBlobKeeper(storage)
  return {
    storage,
    keeper,
    repositories: createRepositories(storage, keeper),
    [Symbol.asyncDispose]: () => rm(root, { recursive: true }),
  }
}

const image = (config: string, more: object = {}): ManifestDocument => readManifest(Buffer.from(imageManifest(config, more)), undefined)

describe('Repository', () => {
  it('tagsOf follows tags that move and are deleted', async () => {
    await using model = await openModel()
    const repository = model.repositories.open('a')
    const [one, two] = [image('1'), image('2')]
    await repository.putManifest(one, 'x')
    await repository.putTag('y', one.digest)
    assert.deepEqual(await repository.tagsOf(one.digest), ['x', 'y'])
    await repository.putManifest(two, 'x')
    assert.deepEqual(await repository.tagsOf(one.digest), ['y'])
    assert.deepEqual(await repository.tagsOf(two.digest), ['x'])
    assert.equal(await repository.deleteTag('y'), true)
    assert.equal(await repository.deleteTag('y'), false)
    assert.deepEqual(await repository.tagsOf(one.digest), [])
  })

  it('tagsOf does not believe a back reference that a crash left', async () => {
    await using model = await openModel()
    const repository = model.repositories.open('a')
    const [one, two] = [image('1'), image('2')]
    await repository.putManifest(one, 'x')
    await repository.putManifest(two, 'x')
    await model.storage.records.put(`repositories/a/_tagged/${one.digest.slice(7)}/x`, Buffer.alloc(0))
    assert.deepEqual(await repository.tagsOf(one.digest), [])
    await repository.deleteManifest(one.digest)
    assert.equal(await repository.tag('x'), two.digest)
  })

  it('putTag refuses a manifest that is not in the repository', async () => {
    await using model = await openModel()
    await model.repositories.open('a').putManifest(image('1'))
    await assert.rejects(model.repositories.open('b').putTag('x', image('1').digest), { code: 'NOT_FOUND' })
  })

  it('deleteManifest with untouchedSince leaves what was pushed or tagged since', async () => {
    await using model = await openModel()
    const repository = model.repositories.open('a')
    const { digest } = image('1')
    await repository.putManifest(image('1'))
    assert.equal(await repository.deleteManifest(digest, { untouchedSince: Date.now() - 60_000 }), false)
    assert.equal(await repository.deleteManifest(digest, { untouchedSince: Date.now() + 60_000 }), true)
    assert.equal(await repository.deleteManifest(digest), false)
  })

  it('deleteManifest leaves nothing of a manifest but its bytes', async () => {
    await using model = await openModel()
    const repository = model.repositories.open('a')
    const subject = { mediaType: MEDIA_TYPES.ociManifest, digest: digestOf('s'), size: 1 }
    const signature = image('1', { subject })
    await repository.putManifest(signature, 'x')
    assert.equal((await Array.fromAsync(repository.referrers(subject.digest))).length, 1)
    await repository.deleteManifest(signature.digest)
    assert.deepEqual(await Array.fromAsync(repository.referrers(subject.digest)), [])
    assert.deepEqual(await Array.fromAsync(model.storage.records.directories('repositories')), [])
    assert.equal(await repository.exists(), false)
    assert.ok(await model.storage.blobs.stat(signature.digest))
  })

  it('a manifest whose bytes are lost is unknown', async () => {
    await using model = await openModel()
    const repository = model.repositories.open('a')
    await repository.putManifest(image('1'), 'x')
    await model.storage.blobs.delete(image('1').digest)
    assert.equal(await repository.readManifest(image('1').digest), undefined)
    assert.equal(await repository.keepManifest(image('1').digest), undefined)
  })

  it('referrers go on after a digest', async () => {
    await using model = await openModel()
    const repository = model.repositories.open('a')
    const subject = { mediaType: MEDIA_TYPES.ociManifest, digest: digestOf('s'), size: 1 }
    for (let index = 0; index < 5; index++) await repository.putManifest(image(String(index), { subject }))
    const all = await Array.fromAsync(repository.referrers(subject.digest))
    const rest = await Array.fromAsync(repository.referrers(subject.digest, { after: all[1]!.digest }))
    assert.deepEqual(rest, all.slice(2))
  })
})

describe('Repositories.names', () => {
  it('gives what exists, component by component, page by page', async () => {
    await using model = await openModel()
    const names = ['a', 'a/b', 'a/b/c', 'a-b', 'a.b/c', 'b/c/d', 'z']
    for (const name of names) await model.repositories.open(name).linkBlob(digestOf(name))
    const listed = await Array.fromAsync(model.repositories.names())
    assert.deepEqual(listed, ['a', 'a/b', 'a/b/c', 'a-b', 'a.b/c', 'b/c/d', 'z'])
    for (const [index, after] of listed.entries()) {
      assert.deepEqual(await Array.fromAsync(model.repositories.names({ after })), listed.slice(index + 1), after)
    }
    assert.deepEqual(await Array.fromAsync(model.repositories.names({ after: 'a/b', limit: 2 })), ['a/b/c', 'a-b'])
    assert.deepEqual(await Array.fromAsync(model.repositories.names({ after: 'nobody/here' })), ['z'])
    assert.deepEqual(await Array.fromAsync(model.repositories.names({ limit: 0 })), [])
    for (const after of ['../../a', '/', 'a//b', 'A', 'a\0']) await Array.fromAsync(model.repositories.names({ after }))
  })
})

describe('BlobKeeper', () => {
  it('collect takes what is old, and its links first', async () => {
    await using model = await openModel()
    const digest = digestOf('old')
    await model.keeper.put(digest, Buffer.from('old'))
    let seen: unknown
    const before = async (): Promise<void> => {
      seen = await model.storage.blobs.stat(digest)
    }
    assert.equal(await model.keeper.collect(digest, { untouchedSince: Date.now() + 60_000, before }), 3)
    assert.ok(seen)
    assert.equal(await model.storage.blobs.stat(digest), undefined)
    assert.equal(await model.keeper.collect(digest, { untouchedSince: Date.now() + 60_000 }), undefined)
  })

  it('collect leaves what was kept in the meantime', async () => {
    await using model = await openModel()
    const digest = digestOf('wanted')
    await model.keeper.put(digest, Buffer.from('wanted'))
    const { modified } = (await model.keeper.keep(digest)) ?? assert.fail()
    assert.equal(await model.keeper.collect(digest, { untouchedSince: modified - 1000 }), undefined)
    assert.ok(await model.storage.blobs.stat(digest))
  })

  it('keep waits for a collection of the blob and then says that it is gone', async () => {
    await using model = await openModel()
    const digest = digestOf('contested')
    await model.keeper.put(digest, Buffer.from('contested'))
    const { promise, resolve } = Promise.withResolvers<void>()
    const collected = model.keeper.collect(digest, { untouchedSince: Date.now() + 60_000, before: () => promise })
    const kept = model.keeper.keep(digest)
    resolve()
    assert.deepEqual([await collected, await kept], [9, undefined])
  })

  it('a blob that is pushed while it is collected is there afterwards', async () => {
    await using model = await openModel()
    const digest = digestOf('again')
    await model.keeper.put(digest, Buffer.from('again'))
    const { promise, resolve } = Promise.withResolvers<void>()
    const collected = model.keeper.collect(digest, { untouchedSince: Date.now() + 60_000, before: () => promise })
    const pushed = model.keeper.put(digest, Buffer.from('again'))
    resolve()
    await Promise.all([collected, pushed])
    assert.ok(await model.storage.blobs.stat(digest))
  })
})
