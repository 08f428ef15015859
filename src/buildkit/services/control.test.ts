import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CacheRecordInfo } from '#build'
import { fakeBuilds } from '../testing/fake-builds.ts'
import { doorOpener } from '../testing/open-door.ts'

const open = doorOpener()

test('the worker tells platforms, its version, what host-gateway is, and devices', async () => {
  const { record } = await open(fakeBuilds()).control.listWorkers({})
  assert.equal(record[0]?.buildkitVersion?.version, 'v1.2.3-moby')
  assert.equal(record[0].labels['org.mobyproject.buildkit.worker.moby.host-gateway-ip'], '172.17.0.1')
  assert.ok('org.mobyproject.buildkit.worker.snapshotter' in record[0].labels)
  assert.deepEqual(
    record[0].platforms.map(({ architecture }) => architecture),
    ['amd64'],
  )
  assert.deepEqual(
    record[0].cdiDevices.map(({ name, autoAllow, annotations }) => ({ name, autoAllow, annotations })),
    [{ name: 'v.com/c=a', autoAllow: true, annotations: { 'x.org/y': 'z' } }],
  )
})

test('disk usage and prune speak of the same records, filtered', async () => {
  const record: CacheRecordInfo = {
    id: 'r1',
    parents: ['p'],
    type: 'exec.cachemount',
    description: 'cache',
    inUse: false,
    shared: false,
    mutable: true,
    size: 5,
    createdAt: 1000,
    lastUsedAt: undefined,
    usageCount: 2,
  }
  const asked: unknown[] = []
  const client = open(
    fakeBuilds({
      service: {
        async diskUsage(filters) {
          asked.push({ ...filters })
          return [record]
        },
        async prune({ filters, keepDuration, all }) {
          asked.push([{ ...filters }, keepDuration, all])
          return [record]
        },
      },
    }),
  )
  const usage = await client.control.diskUsage({ filter: ['type==exec.cachemount,mutable'] })
  assert.deepEqual(
    usage.record.map(({ id, parent, recordType, size }) => [id, parent, recordType, size]),
    [['r1', 'p', 'exec.cachemount', 5n]],
  )
  const pruned: string[] = []
  for await (const { id } of client.control.prune({ all: true, keepDuration: 3_600_000_000_000n, filter: ['id~=r1'] })) pruned.push(id)
  assert.deepEqual(pruned, ['r1'])
  assert.deepEqual(asked, [{ type: ['exec.cachemount'], mutable: [] }, [{ id: ['r1'] }, 3_600_000, true]])
})
