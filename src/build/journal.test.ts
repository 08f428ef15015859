import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Journal } from './journal.ts'
import { Journals } from './journals.ts'
import type { BuildEvent, LogEvent, VertexEvent } from './progress.ts'

const NEVER = new AbortController().signal

function vertexEvent(name: string): VertexEvent {
  return { kind: 'vertex', id: 'sha256:1', inputs: [], name, cached: false }
}

function logEvent(size: number): LogEvent {
  return { kind: 'log', vertex: 'sha256:1', stream: 1, data: Buffer.alloc(size), timestamp: 0 }
}

async function all(events: AsyncIterable<readonly BuildEvent[]>): Promise<BuildEvent[]> {
  return (await Array.fromAsync(events)).flat()
}

describe('Journal', () => {
  it('gives every reader all events, whenever it comes', async () => {
    const journal = new Journal()
    const early = all(journal.read(NEVER))
    journal.send(vertexEvent('a'))
    await new Promise((resolve) => setImmediate(resolve))
    const late = all(journal.read(NEVER))
    journal.send(vertexEvent('b'))
    journal.end()
    journal.send(vertexEvent('c'))
    for (const events of [await early, await late, await all(journal.read(NEVER))])
      assert.deepEqual(
        events.map((event) => event.kind === 'vertex' && event.name),
        ['a', 'b'],
      )
  })

  it('ends a reader with its signal', async () => {
    const reader = new AbortController()
    const reading = all(new Journal().read(reader.signal))
    reader.abort(new Error('gone'))
    await assert.rejects(reading, /gone/)
  })

  it('drops the oldest output of a build that says too much, but no vertex', async () => {
    for (const vertices of [1, 3000]) {
      const journal = new Journal()
      for (let count = 0; count < vertices; count++) journal.send(vertexEvent('first'))
      for (let count = 0; count < 40; count++) journal.send(logEvent(1 << 20))
      journal.end()
      const events = await all(journal.read(NEVER))
      assert.ok(events.slice(0, vertices).every(({ kind }) => kind === 'vertex'))
      const size = events.reduce((sum, event) => sum + (event.kind === 'log' ? event.data.length : 0), 0)
      assert.ok(size <= 8 << 20 && size >= 4 << 20, String(size))
    }
  })

  it('gives who is behind each vertex, some perhaps twice, and what was not dropped', async () => {
    const journal = new Journal()
    const reader = journal.read(NEVER)[Symbol.asyncIterator]()
    journal.send(vertexEvent('a'))
    journal.send(logEvent(1))
    assert.equal((await reader.next()).value?.length, 2)
    for (const name of ['b', 'c']) {
      journal.send(vertexEvent(name))
      journal.send(logEvent(5 << 20))
    }
    const missed = (await reader.next()).value as readonly BuildEvent[]
    const names = missed.map((event) => (event.kind === 'vertex' ? event.name : event.kind))
    assert.deepEqual(names, ['a', 'b', 'c'])
  })

  it('takes any number of vertices without going through them for each', { timeout: 10_000 }, () => {
    const journal = new Journal()
    const event = vertexEvent('one of many')
    for (let count = 0; count < 150_000; count++) journal.send(event)
  })
})

describe('Journals', () => {
  it('keep the events of the last builds', async () => {
    const journals = new Journals()
    for (let count = 0; count < 20; count++) {
      const journal = journals.begin(`b${count}`)
      journal.send(vertexEvent(`b${count}`))
      journal.end()
      journals.ended(`b${count}`)
    }
    assert.equal((await all(journals.read('b19', NEVER))).length, 1)
    const waiting = all(journals.read('b0', NEVER))
    journals.close()
    await assert.rejects(waiting, { code: 'NOT_FOUND' })
  })
})
