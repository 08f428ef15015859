/** A daemon that stops ends its builds; the next one finds what they had done. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Engine } from '../../harness/index.ts'
import { classicBuild, noStepRuns, stepRuns } from './build-client.ts'

test('a daemon that stops ends its builds, and keeps the steps that had ended', async () => {
  await using engine = await Engine.start()
  engine.loadStarter()
  const dockerfile = (last: string): string => `FROM starter\nRUN echo one > /one\nRUN ${last}\nRUN true\n`
  const building = classicBuild(engine, dockerfile('sleep 600')).then(
    ({ error }) => error ?? 'built',
    (error: unknown) => String(error),
  )
  await stepRuns(engine, 'sleep 600')
  const stopping = Date.now()
  await engine.stopDaemon()
  assert.ok(Date.now() - stopping < 60_000, 'it waits for open requests for 15 seconds')
  assert.notEqual(await building, 'built')
  await noStepRuns(engine)
  await engine.startDaemon()
  assert.deepEqual((await classicBuild(engine, dockerfile('cat /one'))).cached, ['RUN echo one > /one'])
})
