import assert from 'node:assert/strict'
import { mkdtemp, rm, utimes } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { digestOf, hexOf, MEDIA_TYPES, type Digest } from '#oci'
import { createBlobKeeper } from '../repositories/blob-keeper.ts'
import { readManifest } from '../repositories/manifest-document.ts'
import { createRepositories } from '../repositories/repositories.ts'
import type { BlobKeeper, Repositories, Repository } from '../repositories/types.ts'
import { openFileStorage } from '../storage/file-system/file-storage.ts'
import type { RegistryStorage } from '../storage/types.ts'
import { OWN_STORAGE } from './collection-lock.ts'
import { createCollector } from './collector.ts'
import type { CollectOptions, Collector, CollectReport } from './types.ts'

const HOUR = 3600e3

/** A model on a temporary directory, with a clock for the collector that can be put forward. */
class ModelUnderTest implements AsyncDisposable {
  readonly storage: RegistryStorage
  readonly keeper: BlobKeeper
  readonly repositories: Repositories
  readonly collector: Collector
  /** Milliseconds by which the collector's clock is ahead. */
  ahead = 0
  readonly #root: string

  private constructor(root: string, storage: RegistryStorage) {
    this.#root = root
    this.storage = storage
    this.keeper = createBlobKeeper(storage)
    this.repositories = createRepositories(storage, this.keeper)
    this.collector = createCollector({
      storage,
      repositories: this.repositories,
      keeper: this.keeper,
      lock: OWN_STORAGE,
      now: () => Date.now() + this.ahead,
    })
  }

  static async create(): Promise<ModelUnderTest> {
    const root = await mkdtemp(join(tmpdir(), 'gantry-collector-'))
    return new ModelUnderTest(root, await openFileStorage({ root, sync: false }))
  }

  async blob(repository: Repository, content: string): Promise<Digest> {
    const digest = digestOf(content)
    await this.keeper.put(digest, Buffer.from(content))
    await repository.linkBlob(digest)
    return digest
  }

  /** An image of one layer whose config is `{}`. */
  async image(repository: Repository, layer: string, options: { tag?: string; subject?: Digest } = {}): Promise<Digest> {
    const config = await this.blob(repository, '{}')
    const blob = await this.blob(repository, layer)
    const descriptor = (digest: Digest, size: number): object => ({ mediaType: 'application/octet-stream', digest, size })
    return this.manifest(
      repository,
      {
        schemaVersion: 2,
        mediaType: MEDIA_TYPES.ociManifest,
        config: descriptor(config, 2),
        layers: [descriptor(blob, layer.length)],
        ...(options.subject !== undefined && { subject: { ...descriptor(options.subject, 1), mediaType: MEDIA_TYPES.ociManifest } }),
      },
      options.tag,
    )
  }

  async index(repository: Repository, manifests: readonly Digest[], tag?: string): Promise<Digest> {
    const entries = manifests.map((digest) => ({ mediaType: MEDIA_TYPES.ociManifest, digest, size: 1 }))
    return this.manifest(repository, { schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests: entries }, tag)
  }

  async manifest(repository: Repository, fields: object, tag?: string): Promise<Digest> {
    const document = readManifest(Buffer.from(JSON.stringify(fields)), undefined)
    await repository.putManifest(document, tag)
    return document.digest
  }

  /** Makes blobs two hours old. */
  async age(...digests: Digest[]): Promise<void> {
    const then = new Date(Date.now() - 2 * HOUR)
    for (const digest of digests) await utimes(join(this.#root, 'blobs/sha256', hexOf(digest).slice(0, 2), hexOf(digest)), then, then)
  }

  collect(options: Partial<CollectOptions> = {}): Promise<CollectReport> {
    return this.collector.collect({ deleteUntagged: false, dryRun: false, grace: HOUR, ...options })
  }

  async stored(content: string): Promise<boolean> {
    return (await this.storage.blobs.stat(digestOf(content))) !== undefined
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.storage[Symbol.asyncDispose]()
    await rm(this.#root, { recursive: true })
  }
}

describe('Collector.collect', () => {
  it('removes blobs that no manifest names, with their links, and nothing that is named', async () => {
    await using model = await ModelUnderTest.create()
    const repository = model.repositories.open('team/app')
    const image = await model.image(repository, 'layer', { tag: '1' })
    const orphan = await model.blob(repository, 'orphan')
    await model.blob(model.repositories.open('other'), 'orphan')
    model.ahead = 2 * HOUR
    const report = await model.collect()
    assert.deepEqual(report, { repositories: 2, manifests: 1, blobs: 4, deletedManifests: 0, deletedBlobs: 1, freed: 6 })
    assert.equal(await model.stored('orphan'), false)
    for (const name of ['team/app', 'other'])
      assert.deepEqual((await Array.fromAsync(model.repositories.open(name).blobs())).includes(orphan), false)
    assert.ok(await repository.readManifest(image))
    assert.ok((await model.stored('layer')) && (await model.stored('{}')))
  })

  it('leaves alone what is young, was touched, or is only to be counted', async () => {
    await using model = await ModelUnderTest.create()
    const repository = model.repositories.open('a')
    const digest = await model.blob(repository, 'orphan')
    assert.equal((await model.collect()).deletedBlobs, 0)
    model.ahead = 2 * HOUR
    assert.equal((await model.collect({ dryRun: true })).deletedBlobs, 1)
    assert.ok(await model.stored('orphan'))
    model.ahead = 0
    await repository.keepBlob(digest)
    assert.equal((await model.collect({ grace: 1000 })).deletedBlobs, 0)
  })

  it('keeps untagged manifests unless told otherwise', async () => {
    await using model = await ModelUnderTest.create()
    const repository = model.repositories.open('a')
    const untagged = await model.image(repository, 'old')
    model.ahead = 2 * HOUR
    assert.equal((await model.collect()).deletedManifests, 0)
    assert.ok(await model.stored('old'))
    assert.equal((await model.collect({ deleteUntagged: true })).deletedManifests, 1)
    assert.equal(await repository.statManifest(untagged), undefined)
    assert.equal(await model.stored('old'), false)
  })

  it('with deleteUntagged keeps what a tagged index lists and what speaks of something kept', async () => {
    await using model = await ModelUnderTest.create()
    const repository = model.repositories.open('a')
    const child = await model.image(repository, 'child')
    const index = await model.index(repository, [child], 'multi')
    const signature = await model.image(repository, 'signature', { subject: child })
    const signed = await model.image(repository, 'signature of the signature', { subject: signature })
    const lost = await model.image(repository, 'lost', { subject: digestOf('not here') })
    const loneIndex = await model.index(repository, [lost])
    model.ahead = 2 * HOUR
    const gone: string[] = []
    await model.collect({ deleteUntagged: true, removed: (what) => what.kind === 'manifest' && gone.push(what.digest) })
    assert.deepEqual(gone.sort(), [lost, loneIndex].sort())
    for (const kept of [child, index, signature, signed]) assert.ok(await repository.readManifest(kept))
  })

  it('an untagged manifest that is touched stays with all that it names', async () => {
    await using model = await ModelUnderTest.create()
    const repository = model.repositories.open('a')
    const digest = await model.image(repository, 'layer')
    // Only the manifest was asked about, as a client does before it pushes an index.
    await model.age(digestOf('layer'), digestOf('{}'))
    assert.equal((await model.collect({ deleteUntagged: true })).deletedBlobs, 0)
    assert.ok(await repository.readManifest(digest))
    assert.ok(await model.stored('layer'))
  })

  it('expires what nobody asked for, with its tags', async () => {
    await using model = await ModelUnderTest.create()
    const repository = model.repositories.open('a')
    await model.image(repository, 'layer', { tag: 'old' })
    model.ahead = 25 * HOUR
    assert.equal((await model.collect({ expireAfter: 48 * HOUR })).deletedManifests, 0)
    const report = await model.collect({ expireAfter: 24 * HOUR })
    assert.deepEqual([report.deletedManifests, report.deletedBlobs], [1, 3])
    assert.deepEqual(await Array.fromAsync(repository.tags()), [])
  })

  it('ends between two deletions when it is cancelled, and what is left is consistent', async () => {
    await using model = await ModelUnderTest.create()
    const repository = model.repositories.open('a')
    await model.image(repository, 'layer', { tag: '1' })
    for (let number = 0; number < 10; number++) await model.blob(repository, `orphan ${number}`)
    model.ahead = 2 * HOUR
    const cancel = new AbortController()
    const removed: string[] = []
    const work = model.collect({ signal: cancel.signal, removed: ({ digest }) => removed.push(digest) === 3 && cancel.abort() })
    await assert.rejects(work, { name: 'AbortError' })
    assert.equal(removed.length, 3)
    assert.equal((await model.collect()).deletedBlobs, 7)
    assert.ok(await model.stored('layer'))
  })
})

describe('Collector.purgeUploads', () => {
  it('gives up uploads that began long ago and do not grow', async () => {
    await using model = await ModelUnderTest.create()
    const { uploads } = model.storage
    await uploads.create('a')
    const log = { info() {}, error() {} }
    assert.equal(await model.collector.purgeUploads({ before: Date.now() - HOUR, dryRun: false, log }), 0)
    assert.equal(await model.collector.purgeUploads({ before: Date.now() + HOUR, dryRun: true, log }), 1)
    assert.equal(await model.collector.purgeUploads({ before: Date.now() + HOUR, dryRun: false, log }), 1)
    assert.deepEqual(await Array.fromAsync(uploads.list()), [])
  })
})
