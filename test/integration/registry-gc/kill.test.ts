import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { RegistryProgram } from '../../harness/registry-program.ts'
import { RegistryPusher } from '../../harness/registry-pusher.ts'
import { unshared } from '../unshared.ts'
import { eventually } from '../../harness/eventually.ts'

const LIVES = 8
const PUSHERS = 3
/** Milliseconds. Longer than a push takes on most machines; so short that in each life something is collected. */
const GRACE = 400

unshared(import.meta.filename, () => {
  it('gantry registry killed in the middle of pushes and collections has all that was acknowledged', async () => {
    execFileSync('ip', ['link', 'set', 'lo', 'up'])
    await using registry = await RegistryProgram.start((directory) => ({
      http: { addr: ':5000' },
      log: { accesslog: { disabled: true } },
      storage: {
        filesystem: { rootdirectory: join(directory, 'root') },
        maintenance: { garbagecollection: { enabled: true, interval: '10ms', deleteuntagged: true, grace: `${GRACE}ms` } },
      },
    }))
    const acknowledged = new Map<number, string[]>()
    for (let life = 0; life < LIVES; life++) {
      const killed = new AbortController()
      const pushers = Array.from({ length: PUSHERS }, async (_, number) => {
        const pusher = new RegistryPusher(`http://127.0.0.1:5000/v2/app-${number}`)
        for (let round = 0; !killed.signal.aborted; round++) {
          // Moves the tag: what it named becomes garbage.
          const layers = [`shared ${life}`, `own ${number} ${life} ${round}`]
          const begun = performance.now()
          const isWhole = await pusher.push('moving', layers).then(
            () => true,
            // The server was killed meanwhile, or the push took longer than its blobs are spared: it was not acknowledged.
            (error: unknown) => {
              if (!killed.signal.aborted && performance.now() - begun < GRACE) throw error
              return false
            },
          )
          if (isWhole) acknowledged.set(number, layers)
        }
      })
      const collections = (): number => [...registry.log.matchAll(/"?deletedBlobs"?=([1-9]\d*)/g)].length
      const collected = eventually(() => assert.ok(collections() > 0, 'something is collected'))
      await Promise.race([collected, ...pushers])
      await Promise.race([sleep(97 * life), ...pushers])
      killed.abort()
      await registry.stop('SIGKILL')
      await Promise.all(pushers)
      registry.log = ''
      await registry.start()
      for (const number of acknowledged.keys()) await new RegistryPusher(`http://127.0.0.1:5000/v2/app-${number}`).verify('moving')
    }
    assert.equal(acknowledged.size, PUSHERS)
    // The next life cleans up: drafts at its start, garbage when it is old enough.
    await registry.stop()
    assert.deepEqual(readdirSync(join(registry.directory, 'root/tmp')), [])
    await sleep(500)
    assert.equal(registry.collect('--delete-untagged').status, 0)
    assert.match(registry.collect('--delete-untagged').stdout, new RegExp(`0 of ${PUSHERS} manifests, 0 of \\d+ blobs were removed`))
  })
})
