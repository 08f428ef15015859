/** What builds leave on the disk, looked at by fsck and by a daemon that starts again. Needs root. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { checkStore } from '../../fault/registry-fixture.ts'
import { Engine, eventually } from '../../harness/index.ts'
import { classicBuild } from '../build/build-client.ts'

let engine: Engine

before(async () => {
  engine = await Engine.start()
  engine.loadStarter()
})
after(() => engine?.[Symbol.asyncDispose]())

const DOCKERFILE = `FROM starter AS base
WORKDIR /work/deep
COPY one two ./
RUN cat one two > both && rm one && rm -rf /etc/motd && mkdir -p /etc/new && chmod 1777 /work
FROM starter
COPY --from=base --chown=1:2 /work /copied
COPY --link one /linked/
RUN true
`
const FILES = { one: '1\n', two: '2\n' }

test('the store is whole after a build, and a rebuild changes nothing', async () => {
  const first = await classicBuild(engine, DOCKERFILE, { files: FILES, query: 't=built' })
  assert.equal(first.error, undefined, first.text)
  await checkStore(engine)
  const again = await classicBuild(engine, DOCKERFILE, { files: FILES, query: 't=built' })
  assert.equal(again.id, first.id)
  const without = await classicBuild(engine, DOCKERFILE, { files: FILES, query: 'nocache=1&t=other' })
  assert.equal(without.error, undefined, without.text)
  await checkStore(engine)
  const run = engine.gantry(['run', '--rm', 'built', 'sh', '-c', 'cat /copied/deep/both /linked/one; stat -c %u:%g:%a /copied'])
  assert.equal(run.stdout, '1\n2\n1\n1:2:755\n')
})

test('a daemon that is killed and starts again finds the cache', async () => {
  await engine.stopDaemon('SIGKILL')
  await engine.startDaemon()
  const again = await classicBuild(engine, DOCKERFILE, { files: FILES, query: 't=built' })
  assert.deepEqual(again.ran, [], again.text)
  await checkStore(engine)
})

test('125 layers lie on each other, and no more', async () => {
  const copies = Array.from({ length: 124 }, (_, index) => `COPY one /copies/${index}\n`).join('')
  const deep = await classicBuild(engine, `FROM starter\n${copies}RUN true\n`, { files: FILES, query: 't=deep' })
  assert.equal(deep.error, undefined, deep.text)
  assert.equal(engine.gantry(['run', '--rm', 'deep', 'cat', '/copies/0', '/copies/123']).stdout, '1\n1\n')
  const deeper = await classicBuild(engine, 'FROM deep\nRUN touch /one-more\n', { files: FILES })
  assert.match(deeper.error ?? '', /max depth exceeded/)
  await checkStore(engine)
})

test('nothing is left when images and cache are deleted', async () => {
  for (const image of ['built', 'other', 'deep', 'starter']) await engine.request('DELETE', `/images/${image}?force=1`)
  await engine.request('POST', '/images/prune') // the one whose name the last build took
  assert.equal((await engine.request('POST', '/build/prune?all=1')).status, 200)
  await checkStore(engine)
  // Layers go in the background.
  await eventually(async () => {
    const { LayersSize } = (await engine.request('GET', '/v1.41/system/df')).json as { LayersSize: number }
    assert.ok(LayersSize < 1 << 20, String(LayersSize))
  })
  await checkStore(engine)
})
