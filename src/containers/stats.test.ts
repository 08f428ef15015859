import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CgroupStats } from '#kernel'
import type { Clock } from './context.ts'
import { containerStats, parseNetDev, type StatsDeps, type StatsPair } from './stats.ts'
import type { Container, ContainerState } from './types.ts'

const NET_DEV = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:     100       1    0    0    0     0          0         0      100       1    0    0    0     0       0          0
  eth0:1000 10 1 2 0 0 0 0 2000 20 3 4 0 0 0 0
`

const running: ContainerState = { status: 'running', pid: 7, startedAt: '2024-05-06T07:00:00Z' }

function makeContainer(state: ContainerState, networkMode = 'bridge'): Container {
  return { id: 'abc', name: 'web', state, hostConfig: { networkMode } } as unknown as Container
}

/** Counters that grow by one with each look, and a clock whose timers fire at the next turn. */
function makeDeps(containers: (Container | undefined)[]): StatsDeps & { timers: number } {
  let looks = 0
  const clock: Clock = {
    now: () => 1_000_000_000n * BigInt(looks),
    after(milliseconds, work) {
      assert.equal(milliseconds, 1000)
      deps.timers++
      const timer = setImmediate(work)
      return { [Symbol.dispose]: () => clearImmediate(timer) }
    },
  }
  const deps = {
    timers: 0,
    current: () => (containers.length > 1 ? containers.shift() : containers[0]),
    location: () => ({ version: 2 as const, directory: '/none' }),
    clock,
    source: {
      cgroup: () =>
        ({
          cgroupVersion: 2,
          cpu: { totalUsage: ++looks },
          pids: { current: 1, limit: 0 },
          memory: {},
          blkio: {},
        }) as unknown as CgroupStats,
      hostCpu: () => ({ systemUsage: 100, onlineCpus: 2 }),
      netDev: () => NET_DEV,
    },
  }
  return deps
}

async function collect(stats: AsyncIterable<StatsPair>): Promise<StatsPair[]> {
  const pairs: StatsPair[] = []
  for await (const pair of stats) pairs.push(pair)
  return pairs
}

test('containerStats streams samples with the one before until the container is removed', async () => {
  const container = makeContainer(running)
  const pairs = await collect(containerStats({ stream: true, oneShot: false }, makeDeps([container, container, container, undefined])))
  assert.deepEqual(
    pairs.map(({ current, previous }) => [current.cpu.totalUsage, previous?.cpu.totalUsage]),
    [
      [1, undefined],
      [2, 1],
      [3, 2],
    ],
  )
  assert.equal(pairs[0]?.current.cpu.onlineCpus, 2)
  assert.equal(pairs[0]?.current.networks['eth0']?.txBytes, 2000)
})

test('containerStats without stream gives a second sample with the first, or one at once', async () => {
  const deps = makeDeps([makeContainer(running)])
  const [pair, ...more] = await collect(containerStats({ stream: false, oneShot: false }, deps))
  assert.deepEqual([pair?.current.cpu.totalUsage, pair?.previous?.cpu.totalUsage, more.length, deps.timers], [2, 1, 0, 1])
  const oneShot = makeDeps([makeContainer(running)])
  const [single] = await collect(containerStats({ stream: false, oneShot: true }, oneShot))
  assert.deepEqual([single?.current.cpu.totalUsage, single?.previous, oneShot.timers], [1, undefined, 0])
})

test('containerStats of what does not run is zero and comes at once', async () => {
  const deps = makeDeps([makeContainer({ status: 'created' })])
  const [pair] = await collect(containerStats({ stream: false, oneShot: false }, deps))
  assert.deepEqual(
    [pair?.current.running, pair?.current.read, pair?.current.cpu.totalUsage, deps.timers],
    [false, '0001-01-01T00:00:00Z', 0, 0],
  )
})

test('containerStats shows no interfaces of the host', async () => {
  const [pair] = await collect(containerStats({ stream: false, oneShot: true }, makeDeps([makeContainer(running, 'host')])))
  assert.deepEqual(pair?.current.networks, {})
})

test('containerStats ends by the signal while it waits', async () => {
  const controller = new AbortController()
  const deps = makeDeps([makeContainer(running)])
  deps.clock.after = () => ({ [Symbol.dispose]: () => undefined })
  const seen: StatsPair[] = []
  for await (const pair of containerStats({ stream: true, oneShot: false }, deps, controller.signal)) {
    seen.push(pair)
    setImmediate(() => controller.abort())
  }
  assert.equal(seen.length, 1)
})

test('parseNetDev reads all but loopback', () => {
  assert.deepEqual(parseNetDev(NET_DEV), {
    eth0: { rxBytes: 1000, rxPackets: 10, rxErrors: 1, rxDropped: 2, txBytes: 2000, txPackets: 20, txErrors: 3, txDropped: 4 },
  })
  assert.deepEqual(parseNetDev(''), {})
})
