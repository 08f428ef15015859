import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createCollector, createRegistry, openFileStorage, OWN_STORAGE } from '#registry'
import { RegistryPusher } from '../../harness/registry-pusher.ts'

const COLLECTIONS = 100
const PUSHERS = 3
/** Milliseconds: longer than a push takes on most machines, short enough that what falls into disuse grows old within the test. */
const GRACE = 2000
/** Milliseconds between two rounds of a pusher: the collections need their share of the processor. */
const PAUSE = 300

it('Collector.collect takes nothing that was acknowledged while pushes of shared layers run', { timeout: 120_000 }, async () => {
  const root = await mkdtemp(join(tmpdir(), 'gantry-collector-'))
  await using owned = new AsyncDisposableStack()
  owned.defer(() => rm(root, { recursive: true }))
  const storage = owned.use(await openFileStorage({ root, sync: false }))
  const errors: unknown[] = []
  const registry = createRegistry({ storage, log: { info() {}, error: (message, error) => errors.push(message, error) } })
  owned.defer(() => registry.close())
  const { port } = await registry.listen({ host: '127.0.0.1', port: 0 })
  const collector = createCollector({ storage, ...registry, lock: OWN_STORAGE })
  const done = new AbortController()
  let pushes = 0

  async function push(number: number): Promise<void> {
    const pusher = new RegistryPusher(`http://127.0.0.1:${port}/v2/team/app-${number % 2}`)
    for (let round = 0; !done.signal.aborted; round++) {
      const tag = `t${number}`
      // A tag that moves leaves its old manifest and layer as garbage; the layers that all pushers share change, too, but more slowly.
      const begun = performance.now()
      const isWhole = await pusher.push(tag, [`shared ${Math.floor(round / 4)}`, `own ${number} ${round}`]).then(
        () => true,
        // A push that takes longer than its blobs are spared is not acknowledged.
        (error: unknown) => {
          if (performance.now() - begun < GRACE) throw error
          return false
        },
      )
      if (!isWhole) continue
      pushes++
      await pusher.verify(tag)
      await sleep(PAUSE)
    }
    await pusher.verify(`t${number}`)
  }

  const pushing = Promise.all(Array.from({ length: PUSHERS }, (_, number) => push(number).finally(() => done.abort())))
  pushing.catch(() => {}) // looked at when the collections are done
  let deleted = 0
  try {
    for (let run = 0; run < COLLECTIONS && !done.signal.aborted; run++) {
      const report = await collector.collect({ deleteUntagged: true, dryRun: false, grace: GRACE })
      deleted += report.deletedBlobs
      await sleep(PAUSE / 10)
    }
  } finally {
    done.abort()
    await Promise.allSettled([pushing])
  }
  await pushing
  assert.deepEqual(errors, [])
  assert.ok(pushes > PUSHERS && deleted > PUSHERS, `only ${pushes} pushes and ${deleted} deletions: nothing was tried`)
})
