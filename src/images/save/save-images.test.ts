import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { describe, it } from 'node:test'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import { readTar } from '#archive'
import { digestOf, hexOf, hostPlatform, MEDIA_TYPES, parsePlatform, parseReference } from '#oci'
import type { Descriptor, Digest, Platform } from '#oci'
import { imagesUnderTest } from '../testing/images-under-test.ts'
import type { ImagesUnderTest } from '../testing/images-under-test.ts'
import { idOf, json, LayoutBuilder, makeConfig, makeLayer, platform } from '../testing/make-archive.ts'

const LAYERS = [await makeLayer('a', 'lower'), await makeLayer('b', 'upper')] as const
const GZIPPED = LAYERS.map((layer) => gzipSync(layer))
const HOST = hostPlatform().architecture
const CONFIG = makeConfig(LAYERS, { architecture: HOST })
const OTHER = makeConfig([LAYERS[0]], { architecture: 's390x' })
const ID = idOf(CONFIG)
const S390X = parsePlatform('linux/s390x')
const GENTLE = { force: false, prune: true }

/** An index with two platforms and an attestation, as an archive that names it `r:5000/app:1`. */
async function multiPlatform() {
  const layout = new LayoutBuilder()
  const host = layout.addImage(CONFIG, GZIPPED, platform(HOST))
  const other = layout.addImage(OTHER, [GZIPPED[0]!], platform('s390x'))
  const attestation = layout.add(
    MEDIA_TYPES.ociManifest,
    json({
      schemaVersion: 2,
      config: layout.add(MEDIA_TYPES.ociConfig, json({})),
      layers: [layout.add('application/vnd.in-toto+json', json({ predicateType: 'https://slsa.dev/provenance/v1' }))],
    }),
    {
      ...platform('unknown'),
      annotations: { 'vnd.docker.reference.type': 'attestation-manifest', 'vnd.docker.reference.digest': host.digest },
    },
  )
  const index = layout.addIndex([host, other, attestation])
  const archive = await layout.archive([{ ...index, annotations: { 'io.containerd.image.name': 'r:5000/app:1' } }])
  return { layout, host, other, attestation, index, archive }
}

async function load(test: ImagesUnderTest, archive: Buffer, platforms?: Platform[]): Promise<void> {
  const source = Readable.from([archive], { objectMode: false })
  await test.images.load(source, { quiet: true, report: () => {}, ...(platforms === undefined ? {} : { platforms }) })
  await test.images.restore() // waits for the collection
}

async function save(
  test: ImagesUnderTest,
  refs: string[],
  platforms: Platform[] = [],
): Promise<{ archive: Buffer; files: Map<string, Buffer> }> {
  const archive = await buffer(test.images.save(refs, { platforms }))
  const files = new Map<string, Buffer>()
  for await (const { entry, body } of readTar(Readable.from([archive])))
    if (entry.type === 'file') files.set(entry.path, await buffer(body))
  return { archive, files }
}

const blob = ({ digest }: Pick<Descriptor, 'digest'>): string => `blobs/sha256/${hexOf(digest)}`
const has = (test: ImagesUnderTest, ...descriptors: Descriptor[]): boolean[] => descriptors.map(({ digest }) => test.content.has(digest))

describe('save and load of an image that came with a manifest', () => {
  it('keep manifest, index, compressed layers and digest', async () => {
    using first = imagesUnderTest()
    const { archive, index, layout } = await multiPlatform()
    await load(first, archive)
    assert.equal(first.images.get('r:5000/app:1').descriptor?.digest, index.digest)
    const saved = await save(first, ['r:5000/app:1'])
    for (const [path, bytes] of Object.entries(layout.files)) assert.deepEqual(saved.files.get(path), bytes, path)
    using second = imagesUnderTest()
    await load(second, saved.archive)
    assert.equal(second.images.get('r:5000/app:1').id, ID)
    await second.images.push({ reference: parseReference('r:5000/app:1'), report: () => {} })
    assert.equal(second.registry.tags.get('r:5000/app:1'), index.digest)
  })

  it('tell programs that know one platform about this one', async () => {
    using test = imagesUnderTest()
    await load(test, (await multiPlatform()).archive)
    const { files } = await save(test, ['r:5000/app:1'])
    assert.deepEqual(JSON.parse(files.get('manifest.json')!.toString()), [
      {
        Config: `blobs/sha256/${hexOf(ID)}`,
        RepoTags: ['r:5000/app:1'],
        Layers: GZIPPED.map((layer) => `blobs/sha256/${hexOf(digestOf(layer))}`),
      },
    ])
  })

  it('keep what an image without a name came as', async () => {
    using test = imagesUnderTest()
    const layout = new LayoutBuilder()
    const descriptor = layout.addImage(CONFIG, GZIPPED)
    await load(test, await layout.archive([descriptor]))
    assert.deepEqual(test.images.get(ID).repoTags, [])
    await test.images.tag(ID, 'r:5000/new', '1')
    await test.images.push({ reference: parseReference('r:5000/new:1'), report: () => {} })
    assert.equal(test.registry.tags.get('r:5000/new:1'), descriptor.digest)
    const { files } = await save(test, [ID])
    assert.deepEqual(JSON.parse(files.get('index.json')!.toString()).manifests, [
      { mediaType: MEDIA_TYPES.ociManifest, digest: descriptor.digest, size: descriptor.size },
    ])
  })

  it("do not take a manifest for the image's that was only made for an archive", async () => {
    using test = imagesUnderTest()
    await test.images.import(Readable.from([LAYERS[0]], { objectMode: false }), { repo: 'made', tag: '1', message: '', changes: [] })
    const { archive } = await save(test, ['made:1'])
    using other = imagesUnderTest()
    await load(other, archive)
    assert.equal(other.images.get('made:1').descriptor, undefined)
    assert.equal(other.content.list().length, 2)
  })

  it('write two archives in one when a repository has different images', async () => {
    using test = imagesUnderTest()
    const { layout, host, other } = await multiPlatform()
    const named = (name: string) => ({ annotations: { 'io.containerd.image.name': name } })
    await load(
      test,
      await layout.archive([
        { ...host, ...named('app:1') },
        { ...other, ...named('app:2') },
      ]),
    )
    const { files } = await save(test, ['app'])
    const { manifests } = JSON.parse(files.get('index.json')!.toString()) as { manifests: Descriptor[] }
    assert.deepEqual(
      manifests.map(({ digest, annotations }) => [digest, annotations?.['io.containerd.image.name']]),
      [
        [host.digest, 'docker.io/library/app:1'],
        [other.digest, 'docker.io/library/app:2'],
      ],
    )
  })
})

describe('save of an image that lacks layers as they came', () => {
  it('makes a manifest instead of giving away another platform', async () => {
    using test = imagesUnderTest()
    const { archive, index } = await multiPlatform()
    await load(test, archive)
    rmSync(test.content.path(digestOf(GZIPPED[1]!)))
    await assert.rejects(async () => await save(test, ['r:5000/app:1']), { code: 'DATA_LOSS' })
    await assert.rejects(async () => await save(test, ['r:5000/app:1'], [hostPlatform(), S390X]), { message: /one platform at a time/ })
    const { files } = await save(test, ['r:5000/app:1'], [S390X])
    assert.equal(files.has(blob(index)), false)
  })
})

describe('save and load by platform', () => {
  it('save one without the index', async () => {
    using test = imagesUnderTest()
    const { archive, other } = await multiPlatform()
    await load(test, archive)
    const { files } = await save(test, ['r:5000/app:1'], [S390X])
    const { manifests } = JSON.parse(files.get('index.json')!.toString()) as { manifests: Descriptor[] }
    assert.deepEqual(
      manifests.map(({ digest }) => digest),
      [other.digest],
    )
    assert.equal(files.has(blob({ digest: ID })), false)
  })

  it('save several with the index, and nothing of the others', async () => {
    using test = imagesUnderTest()
    const { archive, index, host, other, attestation } = await multiPlatform()
    await load(test, archive)
    const { files } = await save(test, ['r:5000/app:1'], [S390X, hostPlatform()])
    assert.deepEqual(
      [index, host, other, attestation].map((descriptor) => files.has(blob(descriptor))),
      [true, true, true, false],
    )
  })

  it('load only what is wanted, but the index whole', async () => {
    using test = imagesUnderTest()
    const { archive, index, host, other } = await multiPlatform()
    await load(test, archive, [S390X])
    assert.equal(test.images.get('r:5000/app:1').id, idOf(OTHER))
    assert.equal(test.images.get('r:5000/app:1').descriptor?.digest, index.digest)
    assert.deepEqual(has(test, index, other, host), [true, true, false])
  })

  it('leave what was there before', async () => {
    using test = imagesUnderTest()
    const { archive, host, other } = await multiPlatform()
    await load(test, archive)
    await load(test, archive, [S390X])
    assert.deepEqual(has(test, host, other), [true, true])
  })

  it('refuse what is not there', async () => {
    using test = imagesUnderTest()
    const { archive } = await multiPlatform()
    const riscv = parsePlatform('linux/riscv64')
    await assert.rejects(load(test, archive, [riscv]), { code: 'NOT_FOUND', message: 'requested platform (linux/riscv64) not found' })
    await test.images.restore()
    assert.deepEqual(test.content.list(), [])
    await load(test, archive)
    assert.throws(() => test.images.save(['r:5000/app:1'], { platforms: [riscv] }), {
      code: 'NOT_FOUND',
      message: 'image with reference r:5000/app:1 was found but does not provide the specified platform (linux/riscv64)',
    })
  })

  it('load an image for another machine when there is no other', async () => {
    using test = imagesUnderTest()
    const layout = new LayoutBuilder()
    const index = layout.addIndex([layout.addImage(OTHER, [GZIPPED[0]!], platform('s390x'))])
    await load(test, await layout.archive([{ ...index, annotations: { 'io.containerd.image.name': 'app:1' } }]))
    assert.equal(test.images.get('app:1').config.architecture, 's390x')
  })
})

describe('another platform of a name', () => {
  async function loaded() {
    const test = imagesUnderTest()
    const made = await multiPlatform()
    await load(test, made.archive)
    return { test, ...made }
  }

  const ids = (test: ImagesUnderTest, all = true): Digest[] =>
    test.images.list({ all, filters: { reference: [], label: [], labelNot: [] } }).map(({ id }) => id)

  it('is kept packed, and unpacked when it is asked for', async () => {
    const { test, other } = await loaded()
    using _ = test
    assert.deepEqual(ids(test), [ID])
    const [, before] = test.images.manifests('r:5000/app:1')
    assert.deepEqual([before?.available, before?.image, before?.unpackedSize], [true, undefined, 0])
    const variant = await test.images.resolve('r:5000/app:1', 'linux/s390x')
    assert.deepEqual(variant.repoTags, ['r:5000/app:1'])
    assert.equal(variant.id, idOf(OTHER))
    const [first, after, last] = test.images.manifests('r:5000/app:1')
    assert.deepEqual([after?.descriptor.digest, after?.image, after?.platform], [other.digest, idOf(OTHER), S390X])
    assert.equal(after?.unpackedSize, 'lower'.length)
    assert.deepEqual([first?.kind, last?.kind, last?.attestationFor], ['image', 'attestation', first?.descriptor.digest])
    assert.equal((await test.images.resolve('r:5000/app:1', '')).id, ID)
    assert.equal((await test.images.resolve('r:5000/app:1', `linux/${HOST}`)).id, ID)
    await assert.rejects(test.images.resolve('r:5000/app', 'linux/s390x'), { message: 'No such image: r:5000/app:latest' })
    await assert.rejects(test.images.resolve('r:5000/app:1', 'linux/riscv64'), {
      message: 'image with reference r:5000/app:1 was found but does not provide the specified platform (linux/riscv64)',
    })
  })

  it('is no image of its own: not listed, not pruned, and goes with its name', async () => {
    const { test } = await loaded()
    using _ = test
    const { id } = await test.images.resolve('r:5000/app:1', 'linux/s390x')
    assert.deepEqual(ids(test), [ID])
    assert.deepEqual((await test.images.prune({ reference: [], label: [], labelNot: [] })).deleted, [])
    assert.equal(test.images.get(id).id, id)
    assert.deepEqual(test.images.history(id)[0]?.tags, ['r:5000/app:1'])
    await test.images.tag('r:5000/app:1', 'alias', '')
    await test.images.remove('r:5000/app:1', GENTLE)
    assert.equal(test.images.get(id).id, id)
    const removed = await test.images.remove('alias', GENTLE)
    const deleted = removed.flatMap((result) => ('deleted' in result ? result.deleted : []))
    assert.ok(deleted.includes(ID) && deleted.includes(id))
    await test.images.restore()
    assert.deepEqual([test.content.list(), [...test.snapshotter.blobs()]], [[], []])
  })

  it('stands against removing its name while a container uses it, and stays when that is forced', async () => {
    const { test } = await loaded()
    using _ = test
    const { id } = await test.images.resolve('r:5000/app:1', 'linux/s390x')
    test.users.set(id, [{ id: 'c'.repeat(64), running: true }])
    await assert.rejects(test.images.remove('r:5000/app:1', GENTLE), { code: 'CONFLICT', message: /container cccccccccccc is using/ })
    await test.images.remove('r:5000/app:1', { force: true, prune: true })
    assert.deepEqual(ids(test), [id])
  })

  it('gives its digest back to the tag that is left when another platform has been pulled under it', async () => {
    const { test, index } = await loaded()
    using _ = test
    for (const [path, bytes] of Object.entries((await multiPlatform()).layout.files)) {
      const digest: Digest = `sha256:${path.slice('blobs/sha256/'.length)}`
      test.registry.blobs.set(digest, bytes as Buffer)
      test.registry.manifests.set(digest, {
        descriptor: { mediaType: MEDIA_TYPES.ociManifest, digest, size: (bytes as Buffer).length },
        bytes: bytes as Buffer,
      })
    }
    test.registry.manifests.get(index.digest)!.descriptor.mediaType = MEDIA_TYPES.ociIndex
    for (const tag of ['1', '2']) test.registry.tag(`r:5000/app:${tag}`, index)
    await test.images.pull({ reference: parseReference('r:5000/app:1'), report: () => {} })
    await test.images.pull({ reference: parseReference('r:5000/app:2'), platform: 'linux/s390x', report: () => {} })
    assert.equal(test.images.get(`r:5000/app@${index.digest}`).id, idOf(OTHER))
    assert.deepEqual(await test.images.remove('r:5000/app:2', GENTLE), [{ untagged: 'r:5000/app:2' }])
    assert.equal(test.images.get(`r:5000/app@${index.digest}`).id, ID)
    assert.equal(test.images.get(idOf(OTHER)).id, idOf(OTHER), 'belongs to r:5000/app:1 now')
  })
})

describe('remove by platform', () => {
  async function loaded() {
    const test = imagesUnderTest()
    const made = await multiPlatform()
    await load(test, made.archive)
    return { test, ...made }
  }

  const remove = (test: ImagesUnderTest, ref: string, platforms: Platform[], force = false) =>
    test.images.remove(ref, { force, prune: true, platforms })

  it('frees its content and leaves the name and the index', async () => {
    const { test, index, host, other } = await loaded()
    using _ = test
    await test.images.resolve('r:5000/app:1', 'linux/s390x')
    assert.deepEqual(await remove(test, 'r:5000/app:1', [S390X]), [{ deleted: other.digest }])
    assert.deepEqual(has(test, index, host, other), [true, true, false])
    assert.equal(test.images.get('r:5000/app:1').id, ID)
    assert.equal(test.images.get('r:5000/app:1').descriptor?.digest, index.digest)
    assert.throws(() => test.images.get(idOf(OTHER)), { code: 'NOT_FOUND' })
    await assert.rejects(remove(test, 'r:5000/app:1', [S390X]), { code: 'NOT_FOUND', message: /does not provide the specified platform/ })
  })

  it('lets the name mean another platform when its own goes, with the attestation', async () => {
    const { test, host, other, attestation } = await loaded()
    using _ = test
    await remove(test, 'r:5000/app:1', [hostPlatform()])
    assert.equal(test.images.get('r:5000/app:1').id, idOf(OTHER))
    assert.deepEqual(has(test, host, attestation, other), [false, false, true])
  })

  it('removes the image with the last of them', async () => {
    const { test } = await loaded()
    using _ = test
    await remove(test, 'r:5000/app:1', [hostPlatform(), S390X])
    await test.images.restore()
    assert.deepEqual(test.content.list(), [])
  })

  it('is refused while a container or another name needs it', async () => {
    const { test, host } = await loaded()
    using _ = test
    test.users.set(ID, [{ id: 'c'.repeat(64), running: false }])
    await assert.rejects(remove(test, 'r:5000/app:1', [hostPlatform()]), { code: 'CONFLICT', message: /stopped container/ })
    test.users.clear()
    const layout = new LayoutBuilder()
    layout.addImage(CONFIG, GZIPPED)
    const named = { annotations: { 'io.containerd.image.name': 'docker.io/library/single:1' } }
    await load(test, await layout.archive([{ ...host, platform: host.platform!, ...named }]))
    await assert.rejects(remove(test, 'r:5000/app:1', [hostPlatform()], true), { code: 'CONFLICT', message: /multiple repositories/ })
  })
})
