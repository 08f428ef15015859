import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fullString, parseReference } from '#oci'
import type { Digest } from '#oci'
import { imagesUnderTest } from './testing/images-under-test.ts'
import type { ImagesUnderTest } from './testing/images-under-test.ts'
import { dockerArchive, makeConfig, makeLayer } from './testing/make-archive.ts'
import { chainIds, digestOf } from '#oci'

const BASE = await makeLayer('base', 'base')
const TOP = await makeLayer('top', 'top!')
const [BASE_CHAIN, TOP_CHAIN] = chainIds([digestOf(BASE), digestOf(TOP)])
const FORCE = { force: true, prune: true }
const GENTLE = { force: false, prune: true }

async function load(test: ImagesUnderTest, layers: Buffer[], tags: string[]): Promise<Digest> {
  const { images } = await test.load(await dockerArchive({ config: makeConfig(layers), layers, tags }))
  return images[0]!.id
}

/** Names an image by digest, as a pull does. */
function addDigest(test: ImagesUnderTest, id: Digest, name: string): string {
  const reference = parseReference(`${name}@${digestOf(name)}`)
  test.metadata.repository('references').put(fullString(reference), { image: id })
  return `${name}@${digestOf(name)}`
}

const short = (id: string): string => id.slice(7, 19)

describe('remove', () => {
  it('untags the last name and deletes the image with its own layers', async () => {
    using test = imagesUnderTest()
    await load(test, [BASE], ['base:1'])
    const id = await load(test, [BASE, TOP], ['app:1'])
    test.events.length = 0
    assert.deepEqual(await test.images.remove('app:1', GENTLE), [{ untagged: 'app:1' }, { deleted: id }, { deleted: TOP_CHAIN }])
    assert.deepEqual(test.events, [`untag ${id}`, `delete ${id}`])
    await test.images.restore()
    assert.equal(test.snapshotter.has(BASE_CHAIN!), true)
    assert.equal(test.snapshotter.has(TOP_CHAIN!), false)
    assert.equal(test.content.has(digestOf(TOP)), false)
  })

  it('untags one of several names and nothing else', async () => {
    using test = imagesUnderTest()
    const id = await load(test, [BASE], ['a:1', 'b:1'])
    assert.deepEqual(await test.images.remove('a:1', GENTLE), [{ untagged: 'a:1' }])
    assert.equal(test.images.get('b:1').id, id)
  })

  it('takes a name without a tag for latest', async () => {
    using test = imagesUnderTest()
    await load(test, [BASE], ['a:latest', 'b:1'])
    assert.deepEqual(await test.images.remove('a', GENTLE), [{ untagged: 'a:latest' }])
  })

  it('by id deletes all names of one repository', async () => {
    using test = imagesUnderTest()
    const id = await load(test, [BASE], ['a:1'])
    const byDigest = addDigest(test, id, 'a')
    const images = test.restart()
    assert.deepEqual(await images.remove(short(id), GENTLE), [
      { untagged: 'a:1' },
      { untagged: byDigest },
      { deleted: id },
      { deleted: BASE_CHAIN },
    ])
  })

  it('by name takes the digests of the repository with its last tag', async () => {
    using test = imagesUnderTest()
    const id = await load(test, [BASE], ['a:1'])
    const byDigest = addDigest(test, id, 'a')
    assert.deepEqual((await test.restart().remove('a:1', GENTLE)).slice(0, 2), [{ untagged: 'a:1' }, { untagged: byDigest }])
  })

  it('by digest leaves the tags', async () => {
    using test = imagesUnderTest()
    const id = await load(test, [BASE], ['a:1'])
    const byDigest = addDigest(test, id, 'a')
    const images = test.restart()
    assert.deepEqual(await images.remove(byDigest, GENTLE), [{ untagged: byDigest }])
    assert.deepEqual([images.get('a:1').repoTags, images.get('a:1').repoDigests], [['a:1'], []])
  })

  it('by id refuses several repositories unless forced', async () => {
    using test = imagesUnderTest()
    const id = await load(test, [BASE], ['a:1', 'b:1'])
    await assert.rejects(test.images.remove(id, GENTLE), {
      code: 'CONFLICT',
      message: `conflict: unable to delete ${short(id)} (must be forced) - image is referenced in multiple repositories`,
    })
    assert.equal((await test.images.remove(id, FORCE)).length, 4)
  })

  it('refuses the last name of an image that a container uses', async () => {
    using test = imagesUnderTest()
    const id = await load(test, [BASE], ['a:1'])
    test.users.set(id, [{ id: 'c'.repeat(64), running: false }])
    await assert.rejects(test.images.remove('a:1', GENTLE), {
      code: 'CONFLICT',
      message: `conflict: unable to remove repository reference "a:1" (must force) - container cccccccccccc is using its referenced image ${short(id)}`,
    })
    await assert.rejects(test.images.remove(id, GENTLE), {
      message: `conflict: unable to delete ${short(id)} (must be forced) - image is being used by stopped container cccccccccccc`,
    })
  })

  it('forced only untags what a running container uses, and deletes what a stopped one does', async () => {
    using test = imagesUnderTest()
    const id = await load(test, [BASE], ['a:1'])
    test.users.set(id, [{ id: 'c'.repeat(64), running: true }])
    assert.deepEqual(await test.images.remove('a:1', FORCE), [{ untagged: 'a:1' }])
    await assert.rejects(test.images.remove(id, FORCE), {
      code: 'CONFLICT',
      message: `conflict: unable to delete ${short(id)} (cannot be forced) - image is being used by running container cccccccccccc`,
    })
    test.users.set(id, [{ id: 'c'.repeat(64), running: false }])
    assert.deepEqual(await test.images.remove(id, FORCE), [{ deleted: id }, { deleted: BASE_CHAIN }])
  })

  it('refuses an image that others were made from, and prunes it with the last of them', async () => {
    using test = imagesUnderTest()
    const parent = await load(test, [BASE], ['base:1'])
    await test.snapshotter.prepare('c', test.images.get(parent).chain)
    test.snapshotter.write('c', { tar: TOP })
    const child = await test.images.commit({
      key: 'c',
      parent,
      config: {},
      repo: '',
      tag: '',
      comment: '',
      author: '',
      createdBy: '',
      changes: [],
    })
    await test.snapshotter.remove('c')
    await assert.rejects(test.images.remove(parent, FORCE), {
      message: `conflict: unable to delete ${short(parent)} (cannot be forced) - image has dependent child images`,
    })
    assert.deepEqual(await test.images.remove('base:1', GENTLE), [{ untagged: 'base:1' }])
    assert.deepEqual(await test.images.remove(child.id, GENTLE), [
      { deleted: child.id },
      { deleted: TOP_CHAIN },
      { deleted: parent },
      { deleted: BASE_CHAIN },
    ])
  })

  it('without prune leaves the parent', async () => {
    using test = imagesUnderTest()
    const parent = await load(test, [BASE], [])
    await test.snapshotter.prepare('c', test.images.get(parent).chain)
    const child = await test.images.commit({
      key: 'c',
      parent,
      config: {},
      repo: '',
      tag: '',
      comment: '',
      author: '',
      createdBy: '',
      changes: [],
    })
    assert.deepEqual(await test.images.remove(child.id, { force: false, prune: false }), [{ deleted: child.id }])
  })

  it('throws NOT_FOUND for what is not there', async () => {
    using test = imagesUnderTest()
    await assert.rejects(test.images.remove('nothing', GENTLE), { code: 'NOT_FOUND', message: 'No such image: nothing:latest' })
  })
})

describe('prune', () => {
  const NO_FILTER = { reference: [], label: [], labelNot: [] }

  it('deletes images without a tag, and all unused ones when asked to', async () => {
    using test = imagesUnderTest()
    const dangling = await load(test, [TOP], [])
    const named = await load(test, [BASE], ['a:1', 'b:1'])
    assert.deepEqual(await test.images.prune(NO_FILTER), { deleted: [{ deleted: dangling }, { deleted: digestOf(TOP) }], reclaimed: 4 })
    const all = await test.images.prune({ ...NO_FILTER, dangling: false })
    assert.deepEqual(all, {
      deleted: [{ untagged: 'a:1' }, { untagged: 'b:1' }, { deleted: named }, { deleted: BASE_CHAIN }],
      reclaimed: 4,
    })
    assert.equal(test.events.at(-1), 'prune')
  })

  it('leaves what containers use, and what the filters exclude', async () => {
    using test = imagesUnderTest()
    const used = await load(test, [BASE], [])
    test.users.set(used, [{ id: 'c', running: false }])
    const config = makeConfig([TOP], { config: { Labels: { keep: 'yes' } } })
    await test.load(await dockerArchive({ config, layers: [TOP], tags: [] }))
    assert.deepEqual(await test.images.prune({ ...NO_FILTER, labelNot: ['keep'] }), { deleted: [], reclaimed: 0 })
    assert.deepEqual(await test.images.prune({ ...NO_FILTER, until: Date.parse('2020-01-01') }), { deleted: [], reclaimed: 0 })
    assert.equal((await test.images.prune({ ...NO_FILTER, label: ['keep=yes'] })).reclaimed, 4)
  })
})
