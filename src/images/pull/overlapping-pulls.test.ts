import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { makeConfig } from '../testing/make-archive.ts'
import type { ProgressMessage } from '../types.ts'
import {
  BASE,
  BASE_NAME,
  becomesEmpty,
  blobRequests,
  BLOBS,
  ID,
  linesOf,
  NAME,
  nameOf,
  pull,
  TOP,
  TOP_NAME,
  withImage,
} from '../testing/pulling.ts'

describe('pulls that overlap', () => {
  it('download nothing twice', async () => {
    using test = withImage()
    test.registry.tag('registry:5000/copy:1', test.registry.addImage(makeConfig([BASE, TOP], { author: 'x' }), BLOBS))
    test.registry.beforeChunk = async () => await sleep(5)
    const [first, second] = await Promise.all([pull(test), pull(test, 'registry:5000/copy:1')])
    assert.equal(blobRequests(test).filter((request) => request.includes(BASE_NAME)).length, 1)
    for (const lines of [first, second]) assert.equal(linesOf(lines, BASE_NAME).at(-1), 'Pull complete')
    assert.equal(test.images.list({ all: false, filters: { reference: [], label: [], labelNot: [] } }).length, 2)
  })

  it('leave each other alone when one is cancelled', async () => {
    using test = withImage()
    const abort = new AbortController()
    const started = Promise.withResolvers<void>()
    const goOn = Promise.withResolvers<void>()
    test.registry.beforeChunk = async ({ retrying }) => {
      if (retrying === undefined) return
      started.resolve()
      await goOn.promise
    }
    const cancelled = pull(test, NAME, { signal: abort.signal })
    await started.promise
    const joined = Promise.withResolvers<void>()
    const said: (string | undefined)[] = []
    const report = ({ status }: ProgressMessage): void => {
      said.push(status)
      // It asks for the layers in the turn in which it says so.
      if (status === 'Pulling fs layer') joined.resolve()
    }
    const other = pull(test, NAME, { report })
    await joined.promise
    abort.abort(new Error('client is gone'))
    await assert.rejects(cancelled, { message: 'client is gone' })
    goOn.resolve()
    await other
    assert.equal(said.at(-1), `Status: Downloaded newer image for ${NAME}`)
    assert.equal(blobRequests(test).filter((request) => request.includes(BASE_NAME)).length, 1)
  })

  it('try for themselves what another could not get', async () => {
    using test = withImage()
    const started = Promise.withResolvers<void>()
    let broken = false
    test.registry.beforeChunk = async ({ blob }) => {
      if (broken || nameOf(blob.digest) !== TOP_NAME) return
      broken = true
      started.resolve()
      await sleep(20)
      throw new Error('no rights')
    }
    const first = pull(test)
    await started.promise
    const second = pull(test)
    await assert.rejects(first, { message: 'no rights' })
    await second
    assert.equal(test.images.get(NAME).id, ID)
  })
})

describe('a pull that is cancelled', () => {
  it('leaves nothing', async () => {
    using test = withImage()
    const abort = new AbortController()
    let sent = 0
    test.registry.beforeChunk = async ({ signal, blob }) => {
      sent++
      if (nameOf(blob.digest) !== TOP_NAME) return
      setTimeout(() => abort.abort(new Error('client is gone')), 5)
      await new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason as Error)))
    }
    await assert.rejects(pull(test, NAME, { signal: abort.signal }), { message: 'client is gone' })
    assert.ok(sent > 1)
    await becomesEmpty(test)
    test.registry.beforeChunk = () => {}
    await pull(test)
    assert.equal(test.images.get(NAME).id, ID)
  })
})

describe('a pull that fails', () => {
  it('keeps what it has finished for the next one, and no longer', async () => {
    using test = withImage()
    test.limits.downloads = 1
    const names = [BASE_NAME, TOP_NAME]
    test.registry.beforeChunk = ({ blob, retrying }) => {
      if (retrying !== undefined && blobRequests(test).filter((request) => names.includes(request.slice(-12))).length === 2) {
        throw new Error(`broken at ${nameOf(blob.digest)}`)
      }
    }
    await assert.rejects(pull(test), /broken at/)
    await sleep(20)
    test.registry.beforeChunk = () => {}
    test.registry.requests.length = 0
    const lines = await pull(test)
    assert.equal(blobRequests(test).length, 1)
    assert.equal(lines.at(-1), `Status: Downloaded newer image for ${NAME}`)
    await test.images.remove(NAME, { force: false, prune: true })
    await becomesEmpty(test)
  })
})
