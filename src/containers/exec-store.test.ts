import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ContainerEntry } from './entry.ts'
import { ExecStore, type ExecEntry } from './exec-store.ts'
import type { Container, Exec } from './types.ts'

const MINUTE = 60_000_000_000n

function store(): { execs: ExecStore; clock: { time: bigint }; add: (entry: ContainerEntry, id: string, running?: boolean) => ExecEntry } {
  const clock = { time: 0n }
  const execs = new ExecStore({ now: () => clock.time })
  const add = (entry: ContainerEntry, id: string, running = true): ExecEntry => execs.add(entry, { id, running } as Exec)
  return { execs, clock, add }
}

function container(id: string): ContainerEntry {
  return new ContainerEntry({ id } as Container)
}

test('ExecStore knows the live execs of each container', () => {
  const { execs, add } = store()
  const [one, two] = [container('1'), container('2')]
  const first = add(one, 'a')
  add(one, 'b')
  add(two, 'c')
  execs.end(first)
  assert.deepEqual([execs.liveOf(one), execs.liveOf(two), execs.liveOf(container('3'))], [['b'], ['c'], []])
  assert.equal(execs.get('a').endedAt, 0n)
})

test('ExecStore forgets those that never ran when their container ends', () => {
  const { execs, add } = store()
  const entry = container('1')
  add(entry, 'ran')
  add(entry, 'created', false)
  execs.forget(entry)
  assert.deepEqual(execs.liveOf(entry), ['ran'])
  assert.throws(() => execs.get('created'), { message: 'No such exec instance: created' })
})

test('ExecStore keeps ended execs for five minutes, running ones for ever', () => {
  const { execs, clock, add } = store()
  const entry = container('1')
  add(entry, 'running')
  execs.end(add(entry, 'early'))
  clock.time = 4n * MINUTE
  execs.end(add(entry, 'late'))
  clock.time = 6n * MINUTE
  add(entry, 'new')
  assert.throws(() => execs.get('early'), { code: 'NOT_FOUND' })
  for (const id of ['running', 'late', 'new']) assert.equal(execs.get(id).exec.id, id)
})

test('ExecStore hides the execs of a removed container', () => {
  const { execs, add } = store()
  const entry = container('1')
  add(entry, 'a')
  entry.removed = true
  assert.throws(() => execs.get('a'), { code: 'NOT_FOUND' })
})
