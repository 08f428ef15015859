import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { conflict, notFound } from '#errors'
import { createMemoryMetadata } from '#metadata'
import type { Digest } from '#oci'
import type { CacheRecordInfo, CollectionRule } from './types.ts'
import { createBuildCache, type BuildCache } from './build-cache.ts'
import { createCacheUsage, type CacheStore, type CacheUsage } from './cache-usage.ts'

const ALL: CollectionRule = { all: true, filters: {}, keepDuration: 0, reservedSpace: 0, maxUsedSpace: 0, minFreeSpace: 0 }
const ONE: Digest = 'sha256:1'
const TWO: Digest = 'sha256:2'
const SHARED: Digest = 'sha256:3'

interface World {
  cache: BuildCache
  usage: CacheUsage
  released: () => number
  keep: (key: Digest, chain: Digest, parents?: string[]) => string
}

function world(stores: readonly CacheStore[] = []): World {
  let released = 0
  let time = 0
  const cache = createBuildCache({ metadata: createMemoryMetadata(), snapshotter: { has: () => true }, now: () => ++time })
  const usage = createCacheUsage({
    cache,
    stores,
    snapshotter: { layersOf: (chain) => [{ id: chain, isDraft: true }], draftUsage: async () => ({ size: 10, inodes: 1 }) },
    imageLayers: () => new Set([SHARED]),
    freeSpace: () => 1e12,
    now: () => ++time,
    released: () => void released++,
    report: (error) => {
      throw error
    },
  })
  return {
    cache,
    usage,
    released: () => released,
    keep: (key, chain, parents = []) =>
      cache.keep({ key, portableKey: key, aliases: [], outputs: [chain], type: 'regular', description: key, parents }).id,
  }
}

function stored(facts: Partial<CacheRecordInfo>): CacheRecordInfo {
  return {
    id: 'mount',
    parents: [],
    type: 'exec.cachemount',
    description: '',
    inUse: false,
    shared: false,
    mutable: true,
    size: 5,
    createdAt: 0,
    lastUsedAt: 0,
    usageCount: 0,
    ...facts,
  }
}

describe('createCacheUsage', () => {
  it('lists records with what is theirs alone', async () => {
    const { usage, keep } = world()
    const parent = keep('sha256:a', ONE)
    keep('sha256:b', TWO, [parent])
    keep('sha256:c', SHARED, ['gone'])
    const [a, b, c] = await usage.list({})
    assert.deepEqual([a?.size, a?.shared, a?.parents], [10, false, []])
    assert.deepEqual([b?.size, b?.parents], [10, [parent]])
    assert.deepEqual([c?.shared, c?.parents], [true, []])
    assert.deepEqual(
      (await usage.list({ shared: [] })).map(({ id }) => id),
      [c?.id],
    )
  })

  it('deletes what no build uses, and says so once', async () => {
    const { cache, usage, keep, released } = world()
    const parent = keep('sha256:a', ONE)
    const child = keep('sha256:b', TWO, [parent])
    const pins = cache.pins()
    pins.add(child)
    assert.deepEqual(await usage.prune(ALL), [])
    assert.equal(released(), 0)
    pins[Symbol.dispose]()
    assert.equal(cache.get(child)?.usageCount, 1)
    const heard: string[] = []
    const deleted = await usage.prune({ ...ALL, deleted: ({ id }) => heard.push(id) })
    assert.deepEqual(
      deleted.map(({ id }) => id),
      [child, parent],
    )
    assert.deepEqual(heard, [child, parent])
    assert.equal(released(), 1)
    assert.equal(cache.find('sha256:a'), undefined)
  })

  it('deletes from other stores; what came into use there stays', async () => {
    const removed: string[] = []
    const busy: CacheStore = {
      list: async () => [stored({ id: 'busy' })],
      remove: () => {
        throw conflict('in use')
      },
    }
    const mounts: CacheStore = {
      list: async () => [stored({ id: 'mount' })],
      remove(id) {
        if (id !== 'mount') throw notFound(id)
        removed.push(id)
      },
    }
    const { usage } = world([busy, mounts])
    assert.deepEqual(
      (await usage.prune(ALL)).map(({ id }) => id),
      ['mount'],
    )
    assert.deepEqual(removed, ['mount'])
  })

  it('collects by rules one after the other', async () => {
    const { cache, usage, keep } = world()
    keep('sha256:a', ONE)
    keep('sha256:b', TWO)
    usage.collect([{ ...ALL, maxUsedSpace: 15 }])
    await usage.settled()
    assert.equal(cache.find('sha256:a'), undefined)
    assert.notEqual(cache.find('sha256:b'), undefined)
  })

  it('stops with the signal of who asked', async () => {
    const { usage, keep, cache } = world()
    keep('sha256:a', ONE)
    await assert.rejects(usage.prune({ ...ALL, signal: AbortSignal.abort(new Error('left')) }), /left/)
    assert.notEqual(cache.find('sha256:a'), undefined)
  })
})

describe('createBuildCache', () => {
  it('lets the newest record have a key, and keeps only the latest aliases', () => {
    const { cache, keep } = world()
    const first = keep('sha256:a', ONE)
    const second = cache.keep({
      key: 'sha256:b',
      portableKey: 'sha256:b',
      aliases: [{ key: 'sha256:a', portableKey: 'sha256:a' }],
      outputs: [TWO],
      type: 'regular',
      description: '',
      parents: [],
    })
    assert.equal(cache.find('sha256:a')?.id, second.id)
    cache.delete(first)
    assert.equal(cache.find('sha256:a')?.id, second.id)
    for (let count = 0; count < 40; count++) cache.link(second.id, { key: `sha256:alias${count}`, portableKey: 'sha256:x' })
    assert.equal(cache.find('sha256:a'), undefined)
    assert.equal(cache.find('sha256:alias39')?.id, second.id)
    assert.equal(cache.get(second.id)?.aliases.length, 32)
  })
})
