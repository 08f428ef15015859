import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { digestOf } from '#oci'
import type { Digest } from '#oci'
import { exportsUnderTest, resultOf } from '../testing/exports-under-test.ts'
import type { ExportsUnderTest } from '../testing/exports-under-test.ts'
import type { ImportedCache, Step } from '../../types.ts'
import { createCachePlaces } from './cache-places.ts'
import { ActionsServer } from './services/testing/actions-server.ts'

const key = (text: string): Digest => digestOf(Buffer.from(text))
const NOTHING = { images: [], multiPlatform: false, metadata: {} }

/** Two steps of the result, and one beside it. */
async function builtSteps(test: ExportsUnderTest): Promise<Digest> {
  const lower = await test.draft(undefined, 'lower', 'one')
  const upper = await test.draft(lower, 'upper', 'two')
  const aside = await test.draft(undefined, 'aside', 'three')
  const step = (name: string, chain: Digest, isInResult: boolean) => ({
    vertex: key(`vertex ${name}`),
    output: 0,
    keys: [key(name), key(`alias of ${name}`)] as [Digest, Digest],
    chain,
    description: name,
    createdAt: 1_700_000_000_000,
    isInResult,
  })
  test.steps.push(step('lower', lower, true), step('upper', upper, true), step('aside', aside, false))
  return upper
}

async function save(test: ExportsUnderTest, type: string, attributes: Record<string, string>): Promise<Record<string, string>> {
  return await createCachePlaces(test.deps).prepare({ type, attributes }).export(NOTHING, test.context())
}

async function open(test: ExportsUnderTest, type: string, attributes: Record<string, string>): Promise<ImportedCache> {
  return await createCachePlaces(test.deps).open({ type, attributes }, test.context())
}

async function fetched(test: ExportsUnderTest, cache: ImportedCache, name: string): Promise<Digest[]> {
  const found = cache.find(key(name))
  assert.ok(found !== undefined, name)
  const step = { lease: test.lease, signal: new AbortController().signal, status: () => {} } as Partial<Step> as Step
  const { chain } = await cache.fetch(found.layers, step)
  assert.ok(chain !== undefined && test.snapshotter.has(chain))
  assert.deepEqual(
    test.snapshotter.layersOf(chain).map(({ id }) => id),
    found.layers,
  )
  return [...found.layers]
}

describe('registry cache', () => {
  for (const form of [
    {},
    { 'image-manifest': 'false' },
    { 'image-manifest': 'false', 'oci-mediatypes': 'false' },
    { compression: 'zstd' },
  ]) {
    it(`is written and read again: ${JSON.stringify(form)}`, async () => {
      using first = exportsUnderTest()
      using second = exportsUnderTest()
      await builtSteps(first)
      const answers = await save(first, 'registry', { ref: 'r:5000/cache', mode: 'max', ...form })
      assert.equal(JSON.parse(answers['cache.manifest']!).digest, first.tags.get('r:5000/cache:latest'))
      second.serve(first)
      const cache = await open(second, 'registry', { ref: 'r:5000/cache' })
      assert.equal((await fetched(second, cache, 'upper')).length, 2)
      assert.equal((await fetched(second, cache, 'aside')).length, 1)
      const found = cache.find(key('alias of upper'))
      assert.equal(found?.key, key('upper'))
      assert.equal(found.description, 'upper')
      assert.equal(found.createdAt, 1_700_000_000_000)
    })
  }

  it('has the result only unless all of it is wanted', async () => {
    using first = exportsUnderTest()
    await builtSteps(first)
    await save(first, 'registry', { ref: 'r:5000/cache' })
    using second = exportsUnderTest()
    second.serve(first)
    const cache = await open(second, 'registry', { ref: 'r:5000/cache' })
    assert.ok(cache.find(key('upper')) !== undefined)
    assert.equal(cache.find(key('aside')), undefined)
  })

  it('that is not there says so, as a vertex', async () => {
    using test = exportsUnderTest()
    await assert.rejects(open(test, 'registry', { ref: 'r:5000/none' }), /manifest unknown/)
    const last = test.progress.at(-1)
    assert.ok(last?.kind === 'vertex')
    assert.equal(last.name, 'importing cache manifest from r:5000/none')
    assert.match(last.error ?? '', /manifest unknown/)
  })

  it('that cannot be written fails the build unless its errors are to be ignored', async () => {
    using test = exportsUnderTest()
    await builtSteps(test)
    test.deps.images.upload = async () => {
      throw new Error('registry is on fire')
    }
    await assert.rejects(save(test, 'registry', { ref: 'r:5000/cache' }), /registry is on fire/)
    assert.deepEqual(await save(test, 'registry', { ref: 'r:5000/cache', 'ignore-error': 'true' }), {})
  })

  it('with a layer that is not what it says is not taken', async () => {
    using first = exportsUnderTest()
    using second = exportsUnderTest()
    await builtSteps(first)
    await save(first, 'registry', { ref: 'r:5000/cache' })
    second.serve(first)
    const cache = await open(second, 'registry', { ref: 'r:5000/cache' })
    const forged = await open({ ...second, deps: { ...second.deps, remotes: forging(second) } }, 'registry', { ref: 'r:5000/cache' })
    await assert.rejects(fetched(second, forged, 'upper'), /digest|size|bytes/)
    assert.equal((await fetched(second, cache, 'upper')).length, 2)
  })
})

/** A registry that gives other layers than it promises. */
function forging(test: ExportsUnderTest): ExportsUnderTest['deps']['remotes'] {
  return {
    repository(name, intent, options) {
      const honest = test.deps.remotes.repository(name, intent, options)
      return {
        ...honest,
        async *fetchBlob(descriptor) {
          for await (const chunk of honest.fetchBlob(descriptor)) {
            // The description of the cache itself is not compressed.
            yield chunk[0] === 0x7b ? chunk : Buffer.from(chunk.map((byte) => byte ^ 1))
          }
        },
      }
    },
  }
}

describe('local cache', () => {
  it('is written to a store of the client and read again by its digest', async () => {
    using first = exportsUnderTest()
    using second = exportsUnderTest()
    await builtSteps(first)
    const answers = await save(first, 'local', { dest: '/tmp/cache', mode: 'max' })
    const { digest } = JSON.parse(answers['cache.manifest']!) as { digest: Digest }
    second.session.stores.set('local:/tmp/again', first.session.stores.get('local:/tmp/cache')!)
    const cache = await open(second, 'local', { src: '/tmp/again', digest })
    assert.equal((await fetched(second, cache, 'upper')).length, 2)
  })

  it('whose manifest is another one than was named is not taken', async () => {
    using test = exportsUnderTest()
    await builtSteps(test)
    const answers = await save(test, 'local', { dest: '/tmp/cache' })
    const { digest } = JSON.parse(answers['cache.manifest']!) as { digest: Digest }
    const store = test.session.stores.get('local:/tmp/cache')!
    store.set(digest, Buffer.from(`${store.get(digest)!.toString()} `))
    await assert.rejects(open(test, 'local', { src: '/tmp/cache', digest }), /content does not match digest/)
  })
})

describe('inline cache', () => {
  it('is read from a pushed image', async () => {
    using first = exportsUnderTest()
    using second = exportsUnderTest()
    const chain = await builtSteps(first)
    const options = { context: { inlineCache: true } }
    await first.export({ attributes: { name: 'r:5000/app', push: 'true' } }, resultOf(chain), options)
    second.serve(first)
    const cache = await open(second, 'registry', { ref: 'r:5000/app' })
    assert.equal((await fetched(second, cache, 'upper')).length, 2)
    assert.equal((await fetched(second, cache, 'lower')).length, 1)
    assert.equal(cache.find(key('aside')), undefined)
  })

  it('is read from an image that is here', async () => {
    using test = exportsUnderTest()
    const chain = await builtSteps(test)
    await test.export({ attributes: { name: 'app' } }, resultOf(chain), { context: { inlineCache: true } })
    const cache = await open(test, 'registry', { ref: 'app' })
    assert.equal((await fetched(test, cache, 'upper')).length, 2)
  })
})

describe('cache of a service', () => {
  it('is written and read again', async () => {
    await using server = await ActionsServer.start()
    const attributes = { url_v2: server.url, token: server.token() }
    using first = exportsUnderTest()
    using second = exportsUnderTest()
    await builtSteps(first)
    assert.deepEqual(await save(first, 'gha', { ...attributes, mode: 'max' }), {})
    // Three layers, and the config last: nobody may find what is not there yet.
    assert.equal(server.keys().length, 4)
    assert.match(server.keys().at(-1) ?? '', /^index-buildkit-1-/)
    const cache = await open(second, 'gha', attributes)
    assert.equal((await fetched(second, cache, 'upper')).length, 2)
    assert.equal((await fetched(second, cache, 'aside')).length, 1)
  })

  it('sends no layer twice', async () => {
    await using server = await ActionsServer.start()
    const attributes = { url_v2: server.url, token: server.token(), mode: 'max' }
    using test = exportsUnderTest()
    await builtSteps(test)
    await save(test, 'gha', attributes)
    await save(test, 'gha', attributes)
    assert.equal(server.keys().filter((key) => key.startsWith('buildkit-blob-')).length, 3)
  })

  it('that has nothing yet finds nothing', async () => {
    await using server = await ActionsServer.start()
    using test = exportsUnderTest()
    const cache = await open(test, 'gha', { url_v2: server.url, token: server.token() })
    assert.equal(cache.find(key('upper')), undefined)
  })

  it('that is named wrongly says so, as a vertex', async () => {
    using test = exportsUnderTest()
    await assert.rejects(open(test, 'gha', { url: 'http://127.0.0.1:1' }), /token not set for github actions cache/)
    const last = test.progress.at(-1)
    assert.ok(last?.kind === 'vertex')
    assert.equal(last.name, 'importing cache manifest from gha:buildkit')
    assert.match(last.error ?? '', /token not set/)
    await assert.rejects(save(test, 's3', { bucket: 'b' }), /region not set for s3 cache/)
  })
})

/** Of the step that was shown last: its error. */
function failedImport(test: ReturnType<typeof exportsUnderTest>, shown: string): string {
  const last = test.progress.at(-1)
  assert.ok(last?.kind === 'vertex')
  assert.equal(last.name, `importing cache manifest from ${shown}`)
  return last.error ?? ''
}

describe('caches to be read that lack what names them', () => {
  it('say so as a step: the build goes on without them', async () => {
    using test = exportsUnderTest()
    await assert.rejects(open(test, 'registry', {}), { code: 'INVALID_ARGUMENT' })
    assert.match(failedImport(test, 'registry'), /ref is required/)
    await assert.rejects(open(test, 'local', {}), { code: 'INVALID_ARGUMENT' })
    assert.match(failedImport(test, 'local'), /requires src/)
    await assert.rejects(open(test, 'local', { src: '/cache' }), { code: 'NOT_FOUND' })
    assert.match(failedImport(test, 'local'), /requires either explicit digest/)
  })
})

describe('caches of other kinds', () => {
  it('are refused by name', async () => {
    using test = exportsUnderTest()
    await assert.rejects(open(test, 'azblob', {}), /cache importer type=azblob is not supported/)
    assert.match(failedImport(test, 'azblob'), /type=azblob is not supported/)
    await assert.rejects(save(test, 'azblob', {}), /cache exporter type=azblob is not supported/)
    await assert.rejects(save(test, 'floppy', {}), /unknown cache exporter: "floppy"/)
    await assert.rejects(save(test, 'registry', { ref: 'a', mode: 'huge' }), /invalid cache export mode "huge"/)
  })
})
