import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CacheRecordInfo, PruneOptions } from '#build'
import { startServer } from '../testing/harness.ts'

function record(facts: Partial<CacheRecordInfo> = {}): CacheRecordInfo {
  return {
    id: 'r1',
    parents: ['p1', 'p2'],
    type: 'regular',
    description: 'mount / from exec make',
    inUse: false,
    shared: false,
    mutable: false,
    size: 10,
    createdAt: 1000,
    lastUsedAt: undefined,
    usageCount: 2,
    ...facts,
  }
}

test('POST /build/prune says which records went', async () => {
  const asked: PruneOptions[] = []
  await using server = await startServer({
    builds: {
      prune: async (options) => {
        asked.push(options)
        return [record(), record({ id: 'r2', shared: true })]
      },
    },
  })
  const filters = encodeURIComponent(JSON.stringify({ until: ['24h'], type: ['regular'], inuse: [] }))
  const { status, text } = await server.request(
    'POST',
    `/build/prune?all=1&keep-storage=5&max-used-space=7&min-free-space=9&filters=${filters}`,
  )
  assert.equal(status, 200)
  assert.deepEqual(JSON.parse(text), { CachesDeleted: ['r1', 'r2'], SpaceReclaimed: 10 })
  const [{ signal: _, ...options }] = asked as [PruneOptions]
  assert.deepEqual(options, {
    all: true,
    keepDuration: 24 * 3_600_000,
    filters: { type: ['regular'], inuse: [] },
    reservedSpace: 5,
    maxUsedSpace: 7,
    minFreeSpace: 9,
  })
})

test('POST /build/prune refuses what it cannot read', async () => {
  await using server = await startServer()
  const prune = async (filters: object): Promise<string> => {
    const answer = await server.request('POST', `/build/prune?filters=${encodeURIComponent(JSON.stringify(filters))}`)
    assert.equal(answer.status, 400)
    return answer.text
  }
  assert.match(await prune({ until: ['tomorrow'] }), /\\"until\\" filter expects a duration/)
  assert.match(await prune({ until: ['1h'], 'unused-for': ['1h'] }), /conflicting filters/)
  assert.match(await prune({ id: ['a', 'b'] }), /filters expect only one value/)
  assert.match(await prune({ label: ['a'] }), /invalid filter 'label'/)
  assert.equal((await server.request('POST', '/build/prune?reserved-space=-1')).status, 400)
})

test('POST /build/cancel ends a build', async () => {
  const cancelled: string[] = []
  await using server = await startServer({ builds: { cancel: (id) => void cancelled.push(id) } })
  assert.equal((await server.request('POST', '/build/cancel?id=abc')).status, 200)
  assert.deepEqual(cancelled, ['abc'])
  assert.equal((await server.request('POST', '/build/cancel')).status, 400)
})

test('GET /system/df has the build cache', async () => {
  await using server = await startServer({
    builds: {
      diskUsage: async () => [record(), record({ id: 'r2', inUse: true, size: 3 }), record({ id: 'r3', shared: true, lastUsedAt: 2000 })],
    },
  })
  const get = async (path: string): Promise<Record<string, any>> =>
    JSON.parse((await server.request('GET', path)).text) as Record<string, any>
  const usage = await get('/v1.52/system/df?type=build-cache')
  assert.deepEqual(usage['BuildCacheUsage'], { ActiveCount: 1, TotalCount: 3, TotalSize: 13, Reclaimable: 10 })
  assert.deepEqual(usage['BuildCache'][0], {
    ID: 'r1',
    Parents: ['p1', 'p2'],
    Type: 'regular',
    Description: 'mount / from exec make',
    InUse: false,
    Shared: false,
    Size: 10,
    CreatedAt: '1970-01-01T00:00:01.000Z',
    LastUsedAt: null,
    UsageCount: 2,
  })
  assert.equal(usage['BuildCache'][2].LastUsedAt, '1970-01-01T00:00:02.000Z')
})
