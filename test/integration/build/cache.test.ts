/** What the build cache finds again, what it keeps, and how it is deleted. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Engine } from '../../harness/index.ts'
import { classicBuild, noStepRuns, stepRuns } from './build-client.ts'

let engine: Engine

before(async () => {
  engine = await Engine.start()
  engine.loadStarter()
})
after(() => engine?.[Symbol.asyncDispose]())

interface CacheRecord {
  ID: string
  Parents?: string[]
  Description: string
  Type: string
  Size: number
  Shared: boolean
  InUse: boolean
}

async function records(): Promise<CacheRecord[]> {
  const { BuildCache } = (await engine.request('GET', '/v1.51/system/df?type=build-cache')).json as { BuildCache: CacheRecord[] }
  return BuildCache
}

async function prune(query = ''): Promise<{ CachesDeleted: string[] | null; SpaceReclaimed: number }> {
  return (await engine.request('POST', `/build/prune?${query}`)).json as { CachesDeleted: string[] | null; SpaceReclaimed: number }
}

const STAGES = `FROM starter AS base
COPY source /source
RUN sort /source > /sorted
FROM starter
COPY --from=base /sorted /sorted
RUN wc -l < /sorted > /count
`

test('a build is found again, and only what changed is done anew', async () => {
  const first = await classicBuild(engine, STAGES, { files: { source: 'b\na\n' } })
  assert.deepEqual(first.cached, [])
  assert.equal(first.ran.length, 4)
  const same = await classicBuild(engine, STAGES, { files: { source: 'b\na\n' } })
  assert.deepEqual(same.ran, [])
  assert.equal(same.id, first.id)
  // The stage is built anew with the same outcome: what was copied from it is the same, and so is all above.
  const shuffled = await classicBuild(engine, STAGES, { files: { source: 'a\nb\n' } })
  assert.deepEqual(shuffled.ran, ['COPY source /source', 'RUN sort /source > /sorted'])
  assert.equal(shuffled.id, first.id)
})

test('the cache outlives the daemon', async () => {
  await classicBuild(engine, STAGES, { files: { source: 'x\n' } })
  await engine.stopDaemon('SIGKILL')
  await engine.startDaemon()
  assert.deepEqual((await classicBuild(engine, STAGES, { files: { source: 'x\n' } })).ran, [])
})

test('nocache runs everything, and its results are the ones that are found later', async () => {
  const dockerfile = 'FROM starter\nRUN cat /proc/sys/kernel/random/uuid > /id\nRUN cp /id /copy\n'
  const first = await classicBuild(engine, dockerfile)
  const anew = await classicBuild(engine, dockerfile, { query: 'nocache=1' })
  assert.equal(anew.ran.length, 2)
  assert.notEqual(anew.id, first.id)
  assert.equal((await classicBuild(engine, dockerfile)).id, anew.id)
})

test('images and cache keep their layers apart', async () => {
  await classicBuild(engine, 'FROM starter\nRUN echo kept > /kept\n', { query: 't=kept' })
  engine.mustDocker('rmi', 'kept')
  engine.mustDocker('image', 'prune', '-af')
  engine.loadStarter()
  const again = await classicBuild(engine, 'FROM starter\nRUN echo kept > /kept\n', { query: 't=kept' })
  assert.deepEqual(again.ran, [])
  assert.equal(engine.mustDocker('run', '--rm', 'kept', 'cat', '/kept'), 'kept')
  // And the other way round.
  await prune('all=1')
  assert.equal(engine.mustDocker('run', '--rm', 'kept', 'cat', '/kept'), 'kept')
  engine.mustDocker('rmi', 'kept')
})

test('du tells of each record what it holds, and prune deletes', async () => {
  await prune('all=1')
  await classicBuild(
    engine,
    'FROM starter\nRUN head -c 100000 /dev/zero > /big\nRUN --mount=type=cache,target=/c head -c 5000 /dev/zero > /c/x\n',
  )
  const all = await records()
  const big = all.find(({ Description }) => Description.includes('/big'))
  assert.equal(big?.Size, 100_000)
  const mount = all.find(({ Type }) => Type === 'exec.cachemount')
  assert.ok((mount?.Size ?? 0) >= 5000)
  assert.deepEqual((await prune('filters={"type":["exec.cachemount"]}')).CachesDeleted, [mount?.ID])
  assert.deepEqual((await prune('filters={"until":["24h"]}')).CachesDeleted, null)
  // The image that was made has the layer, too.
  assert.equal((await records()).find(({ ID }) => ID === big?.ID)?.Shared, true)
  engine.mustDocker('image', 'prune', '-f')
  const { CachesDeleted, SpaceReclaimed } = await prune()
  assert.ok(CachesDeleted?.includes(big?.ID ?? ''))
  assert.ok(SpaceReclaimed >= 100_000, String(SpaceReclaimed))
  assert.deepEqual(
    (await records()).filter(({ Shared }) => !Shared),
    [],
  )
})

test('two builds of the same run each step once', async () => {
  const dockerfile = 'FROM starter\nRUN cat /proc/sys/kernel/random/uuid > /id && sleep 0.3\nRUN cp /id /copy\n'
  const [one, two] = await Promise.all([classicBuild(engine, dockerfile), classicBuild(engine, dockerfile)])
  assert.equal(one.id, two.id)
})

test('independent stages run at the same time', async () => {
  // Each waits for the other: one after the other they would never end.
  const meet = (own: string, other: string): string =>
    `RUN --mount=type=cache,id=meet,target=/m touch /m/${own}; for i in $(seq 1200); do [ -e /m/${other} ] && exit 0; sleep 0.05; done; exit 1`
  const dockerfile = `FROM starter AS a\n${meet('a', 'b')}\nRUN echo a > /a\nFROM starter AS b\n${meet('b', 'a')}\nRUN echo b > /b\nFROM starter\nCOPY --from=a /a /\nCOPY --from=b /b /\n`
  assert.equal((await classicBuild(engine, dockerfile)).error, undefined)
})

test('a failed step stops the others, and a cancelled build ends at once', async () => {
  const started = Date.now()
  const failing = await classicBuild(
    engine,
    'FROM starter AS a\nRUN sleep 1000; echo a > /a\nFROM starter AS b\nRUN sleep 0.2; exit 3\nFROM starter\nCOPY --from=a /a /\nCOPY --from=b /etc /\n',
  )
  assert.match(failing.error ?? '', /returned a non-zero code: 3/)
  const building = classicBuild(engine, 'FROM starter\nRUN sleep 1001\n', { query: 'buildid=mine' })
  await stepRuns(engine, 'sleep 1001')
  assert.equal((await engine.request('POST', '/build/cancel?id=mine')).status, 200)
  assert.match((await building).error ?? '', /context canceled/)
  assert.ok(Date.now() - started < 120_000)
  // The client hears of it at once; the program is killed meanwhile.
  await noStepRuns(engine)
})

test('builds and prunes at the same time leave whole images and a whole store', async () => {
  const building = Array.from({ length: 6 }, async (_, n) => {
    const dockerfile = `FROM starter\nRUN echo shared > /s\nRUN echo ${n % 3} > /n; sleep 0.${n}\nRUN cat /n /s > /m\n`
    const { error } = await classicBuild(engine, dockerfile, { query: `t=busy${n}` })
    assert.equal(error, undefined)
    await prune('all=1')
  })
  await Promise.all([...building, prune('all=1'), prune('all=1')])
  for (let n = 0; n < 6; n++) assert.equal(engine.mustDocker('run', '--rm', `busy${n}`, 'cat', '/m'), `${n % 3}\nshared`)
  assert.match(engine.gantry(['system', 'fsck']).stdout, /clean/)
})
