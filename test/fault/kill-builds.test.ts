/**
 * The daemon is killed with SIGKILL at random moments of builds. After each start nothing of the steps runs any more, the store is whole, and the same
 * build succeeds with the right result: nothing half done is taken for a result of the cache.
 */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Engine, eventually } from '../harness/index.ts'
import { tar } from '../harness/tar.ts'
import { checkStore } from './registry-fixture.ts'

const KILLS = 30

let engine: Engine

before(async () => {
  engine = await Engine.start()
  engine.loadStarter()
})
after(() => engine?.[Symbol.asyncDispose]())

/** Two stages at the same time, files of the context, a cache mount, and a round number that makes the steps new. */
function context(round: number): Buffer {
  const dockerfile = `
FROM starter AS left
COPY big /big
RUN --mount=type=cache,target=/cache echo ${round} >> /cache/rounds && cp /big /twin && echo left ${round} > /left
RUN cat /big /twin | wc -c > /size
FROM starter AS right
RUN mkdir -p /many && for i in 1 2 3 4 5 6 7 8 9; do echo $i > /many/$i; done && echo right ${round} > /right
FROM starter
COPY --from=left /left /size /
COPY --from=right /right /many /result/
RUN cat /left /result/right /size > /all
CMD ["cat", "/all"]
`
  return tar([
    { name: 'Dockerfile', data: Buffer.from(dockerfile) },
    { name: 'big', data: Buffer.alloc(3_000_000, 'x') },
  ])
}

/** Undefined when it succeeded. */
async function build(round: number): Promise<string | undefined> {
  const { status, text } = await engine.request('POST', `/build?t=killed:1`, context(round), { 'Content-Type': 'application/x-tar' })
  return status === 200 && !text.includes('"error"') ? undefined : text
}

/** Processes of steps end with the daemon's next start. */
async function assertNoSteps(): Promise<void> {
  await eventually(() => {
    const others = engine.host.processes().filter(({ pid, command }) => pid !== engine.pid && !/daemon|launcher/.test(command))
    assert.deepEqual(others, [])
  })
}

describe(`kill -9 of the daemon at ${KILLS} moments of builds`, { timeout: 500_000 }, () => {
  it('leaves a cache that is right, and nothing that runs', async () => {
    let duration = Infinity
    for (let round = 0; round < 3; round++) {
      const started = performance.now()
      assert.equal(await build(-1 - round), undefined)
      duration = Math.min(duration, performance.now() - started)
    }
    let interrupted = 0
    for (let kill = 0; kill < KILLS; kill++) {
      const working = build(kill).then(
        () => undefined,
        () => interrupted++, // the connection broke
      )
      await sleep(Math.random() * duration)
      await engine.stopDaemon('SIGKILL')
      await working
      await engine.startDaemon()
      await assertNoSteps()
      await checkStore(engine)
      assert.equal(await build(kill), undefined)
      assert.equal(engine.mustDocker('run', '--rm', 'killed:1'), `left ${kill}\nright ${kill}\n6000000`)
    }
    // A test whose kills all come too late has tested nothing.
    assert.ok(interrupted >= KILLS / 4, `only ${interrupted} of ${KILLS} kills came in the middle`)
    engine.mustDocker('builder', 'prune', '-af')
    await checkStore(engine)
  })
})
