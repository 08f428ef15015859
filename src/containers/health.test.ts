import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { settle } from './testing/fake-clock.ts'
import { testBench, type TestBench } from './testing/fake-deps.ts'
import type { Healthcheck } from './configuration.ts'
import type { Health } from './types.ts'

const SECOND = 1e9
const CHECK: Healthcheck = { test: ['CMD', 'true'], interval: 10 * SECOND, timeout: SECOND, startPeriod: 0, startInterval: 0, retries: 2 }

/** A container with health checks that runs. */
async function started(bench: TestBench, check: Partial<Healthcheck> = {}): Promise<string> {
  const config = { image: 'test', healthcheck: { ...CHECK, ...check } }
  const { id } = await bench.service.create({ name: 'web', platform: '', networks: {}, hostConfig: {}, config })
  // As the fake task has it.
  bench.clock.time = 1_700_000_000_000
  await bench.service.start(id)
  return id
}

const healthOf = (bench: TestBench, id: string): Pick<Health, 'status' | 'failingStreak'> & { entries: number } => {
  const { status, failingStreak, log } = bench.service.get(id).health ?? { status: 'none', failingStreak: 0, log: [] }
  return { status, failingStreak, entries: log.length }
}

/** Lets the next probe come and end with `exitCode`. */
async function probe(bench: TestBench, exitCode: number): Promise<void> {
  const before = bench.runtime.execs.length
  await bench.clock.advance(bench.clock.pending[0] ?? assert.fail('no probe is due'))
  assert.equal(bench.runtime.execs.length, before + 1)
  bench.runtime.lastTask.end({ exitCode })
  await settle()
}

describe('health checks', () => {
  it('tell of each change of the state, and of nothing else', async () => {
    using bench = testBench()
    const id = await started(bench)
    assert.deepEqual(healthOf(bench, id), { status: 'starting', failingStreak: 0, entries: 0 })
    assert.deepEqual(bench.clock.pending, [10_000])
    for (const exitCode of [0, 0, 1, 1, 1, 0]) await probe(bench, exitCode)
    assert.deepEqual(healthOf(bench, id), { status: 'healthy', failingStreak: 0, entries: 5 })
    assert.deepEqual(
      bench.actions(id).filter((action) => action.startsWith('health_status')),
      ['health_status: healthy', 'health_status: unhealthy', 'health_status: healthy'],
    )
  })

  it('come every start interval within the start period, where failures do not count', async () => {
    using bench = testBench()
    const id = await started(bench, { startPeriod: 25 * SECOND, startInterval: 10 * SECOND, interval: 60 * SECOND })
    await probe(bench, 1)
    await probe(bench, 1)
    assert.deepEqual(healthOf(bench, id), { status: 'starting', failingStreak: 0, entries: 2 })
    // The last one of the period comes at its end.
    assert.deepEqual(bench.clock.pending, [5_000])
    await probe(bench, 1)
    assert.deepEqual(healthOf(bench, id), { status: 'starting', failingStreak: 1, entries: 3 })
    assert.deepEqual(bench.clock.pending, [60_000])
  })

  it('fail when they take too long, and are killed', async () => {
    using bench = testBench()
    const id = await started(bench)
    await bench.clock.advance(10_000)
    await bench.clock.advance(1_000)
    assert.deepEqual(bench.runtime.lastTask.signals, [9])
    const [result] = bench.service.get(id).health?.log ?? []
    assert.deepEqual([result?.exitCode, result?.output], [-1, 'Health check exceeded timeout (1s)'])
  })

  it('rest while the container is frozen, which counts as unhealthy', async () => {
    using bench = testBench()
    const id = await started(bench)
    await probe(bench, 0)
    await bench.service.pause(id)
    assert.deepEqual(healthOf(bench, id).status, 'unhealthy')
    assert.deepEqual(bench.clock.pending, [])
    await bench.service.unpause(id)
    assert.deepEqual(healthOf(bench, id).status, 'unhealthy')
    await probe(bench, 0)
    assert.deepEqual(healthOf(bench, id), { status: 'healthy', failingStreak: 0, entries: 2 })
  })

  it('end with the container, which counts as unhealthy then; the next start begins anew and keeps the log', async () => {
    using bench = testBench()
    const id = await started(bench)
    const [program] = bench.runtime.tasks
    await probe(bench, 0)
    program?.end()
    await settle()
    assert.deepEqual(healthOf(bench, id), { status: 'unhealthy', failingStreak: 0, entries: 1 })
    assert.deepEqual(bench.clock.pending, [])
    await bench.service.start(id)
    assert.deepEqual(healthOf(bench, id), { status: 'starting', failingStreak: 0, entries: 1 })
    await bench.service.close()
  })

  it('are not made for NONE', async () => {
    using bench = testBench()
    const id = await started(bench, { test: ['NONE'] })
    assert.equal(bench.service.get(id).health, undefined)
    assert.deepEqual(bench.clock.pending, [])
  })
})
