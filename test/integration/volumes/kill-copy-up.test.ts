/** The daemon is killed while it fills a volume: afterwards there is all of the image's content in it, or nothing. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Engine } from '../../harness/index.ts'

const FILES = 1500
const engine = await Engine.start()
after(() => engine[Symbol.asyncDispose]())

before(() => {
  engine.loadStarter()
  engine.mustDocker(
    'run',
    '--name',
    'maker',
    'starter',
    'sh',
    '-c',
    `mkdir /data; cd /data; for i in $(seq ${FILES}); do echo $i > f$i; done`,
  )
  engine.mustDocker('commit', 'maker', 'full')
  engine.mustDocker('rm', 'maker')
})

test('a kill at any moment of the copy leaves all or nothing, and the next container finds all', async () => {
  const counts = new Set<number>()
  for (const delay of [5, 25, 60, 150]) {
    const volume = `v${delay}`
    engine.mustDocker('volume', 'create', volume)
    const creating = engine
      .request('POST', '/containers/create', { Image: 'full', HostConfig: { Binds: [`${volume}:/data`] } })
      .catch(() => undefined)
    await sleep(delay)
    await engine.stopDaemon('SIGKILL')
    await creating
    await engine.startDaemon()
    const found = Number(engine.mustDocker('run', '--rm', '-v', `${volume}:/x:nocopy`, 'starter', 'sh', '-c', 'ls -A /x | wc -l'))
    assert.ok(found === 0 || found === FILES, `${found} of ${FILES} files after ${delay} ms`)
    counts.add(found)
    assert.equal(Number(engine.mustDocker('run', '--rm', '-v', `${volume}:/data`, 'full', 'sh', '-c', 'ls -A /data | wc -l')), FILES)
  }
  assert.ok(counts.has(0), 'at least one kill came before the end')
})
