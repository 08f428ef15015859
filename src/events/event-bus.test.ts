import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EngineError } from '#errors'
import { createEventBus } from './event-bus.ts'
import type { EventBus } from './types.ts'

/** A bus whose clock counts 1, 2, 3 … per look. */
function countingBus(): EventBus {
  let time = 0n
  return createEventBus({ now: () => ++time })
}

async function ids(events: AsyncIterable<{ actor: { id: string } }>): Promise<string[]> {
  const seen: string[] = []
  for await (const event of events) seen.push(event.actor.id)
  return seen
}

test('subscribe gives live events published before the first read, until the signal', async () => {
  const bus = countingBus()
  bus.publish('container', 'create', 'before', {})
  const controller = new AbortController()
  const events = bus.subscribe({ filters: {}, signal: controller.signal })
  bus.publish('container', 'create', 'a', {})
  bus.publish('container', 'start', 'b', {})
  const seen = ids(events)
  await new Promise(setImmediate)
  bus.publish('container', 'die', 'c', {})
  controller.abort()
  assert.deepEqual(await seen, ['a', 'b', 'c'])
  assert.equal(bus.subscribers(), 0)
})

test('subscribe gives past events between since and until and ends', async () => {
  const bus = countingBus()
  for (const id of ['a', 'b', 'c', 'd']) bus.publish('container', 'create', id, {})
  assert.deepEqual(await ids(bus.subscribe({ since: 2n, until: 3n, filters: {} })), ['b', 'c'])
  assert.equal(bus.subscribers(), 0)
})

test('subscribe with until alone starts from the oldest event kept', async () => {
  const bus = countingBus()
  for (let i = 1; i <= 300; i++) bus.publish('container', 'create', String(i), {})
  const seen = await ids(bus.subscribe({ until: 300n, filters: {} }))
  assert.equal(seen.length, 256)
  assert.equal(seen[0], '45')
})

test('subscribe ends by itself when until comes', async () => {
  const bus = createEventBus()
  const soon = Temporal.Now.instant().epochNanoseconds + 20_000_000n
  const events = ids(bus.subscribe({ until: soon, filters: {} }))
  // The bus's own timer does not keep the process alive.
  const alive = setInterval(() => undefined, 1000)
  assert.deepEqual(await events, [])
  clearInterval(alive)
})

test('subscribe ends when the reader leaves its loop', async () => {
  const bus = countingBus()
  const events = bus.subscribe({ filters: { type: ['image'] } })
  bus.publish('container', 'create', 'a', {})
  bus.publish('image', 'tag', 'b', {})
  for await (const event of events) {
    assert.equal(event.actor.id, 'b')
    break
  }
  assert.equal(bus.subscribers(), 0)
})

test('subscribe with an aborted signal ends at once', async () => {
  const bus = countingBus()
  assert.deepEqual(await ids(bus.subscribe({ filters: {}, signal: AbortSignal.abort() })), [])
  assert.equal(bus.subscribers(), 0)
})

test('publish drops a reader too far behind and tells it', async () => {
  const bus = countingBus()
  const events = bus.subscribe({ filters: {} })
  for (let i = 0; i <= 4096; i++) bus.publish('container', 'create', String(i), {})
  assert.equal(bus.subscribers(), 0)
  await assert.rejects(ids(events), (error) => error instanceof EngineError && error.code === 'RESOURCE_EXHAUSTED')
})

test('publish keeps attributes as they were', async () => {
  const bus = countingBus()
  const labels = { a: '1' }
  bus.publish('container', 'create', 'x', labels)
  labels.a = '2'
  for await (const event of bus.subscribe({ since: 0n, until: 1n, filters: {} })) assert.equal(event.actor.attributes['a'], '1')
})
