/** The build cache collects itself, by the rules of daemon.json. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { Engine, eventually } from '../../harness/index.ts'
import { classicBuild } from './build-client.ts'

test('after a build the cache is made to fit, and images keep their layers', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'gantry-collection-'))
  try {
    const config = join(directory, 'daemon.json')
    writeFileSync(config, JSON.stringify({ builder: { gc: { policy: [{ all: true, maxUsedSpace: '150kB' }] } } }))
    await using engine = await Engine.start({ flags: ['--config-file', config] })
    engine.loadStarter()
    const step = (name: string): string => `FROM starter\nRUN head -c 100000 /dev/zero > /${name}\n`
    await classicBuild(engine, step('old'))
    await classicBuild(engine, step('kept'), { query: 't=kept' })
    engine.mustDocker('image', 'prune', '-f')
    await classicBuild(engine, step('new'))
    engine.mustDocker('image', 'prune', '-f')
    const steps = async (): Promise<string[]> => {
      const { BuildCache } = (await engine.request('GET', '/v1.51/system/df?type=build-cache')).json as {
        BuildCache: { Description: string }[]
      }
      return BuildCache.flatMap(({ Description }) => /> \/(\w+)/.exec(Description)?.[1] ?? [])
    }
    const left = await eventually(async () => {
      const found = await steps()
      assert.equal(found.includes('old'), false, found.join())
      return found
    })
    assert.ok(left.includes('new'), left.join())
    assert.equal(engine.mustDocker('run', '--rm', 'kept', 'wc', '-c', '/kept'), '100000 /kept')
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
})
