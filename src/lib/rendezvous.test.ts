import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Rendezvous } from './rendezvous.ts'

const never = new AbortController().signal
const create = (patience: number): Rendezvous<number> => new Rendezvous((name) => new Error(`no ${name}`), patience)

test('Rendezvous gives what is there at once, and what comes to all that wait', async () => {
  const numbers = create(1000)
  numbers.set('one', 1)
  assert.equal(await numbers.wait('one', never), 1)
  const waiting = [numbers.wait('two', never), numbers.wait('two', never)]
  numbers.set('two', 2)
  assert.deepEqual(await Promise.all(waiting), [2, 2])
  assert.deepEqual([...numbers.values()], [1, 2])
})

test('Rendezvous throws for what is not there, and for what does not come in time', async () => {
  const numbers = create(1)
  numbers.set('gone', 1)
  numbers.delete('gone')
  assert.equal(numbers.has('gone'), false)
  assert.throws(() => numbers.get('gone'), { message: 'no gone' })
  await assert.rejects(numbers.wait('late', never), { message: 'no late' })
})

test('Rendezvous stops waiting when the signal says so', async () => {
  const numbers = create(1000)
  const abort = new AbortController()
  const waiting = numbers.wait('one', abort.signal)
  abort.abort(new Error('left'))
  await assert.rejects(waiting, { message: 'left' })
  await assert.rejects(numbers.wait('one', abort.signal), { message: 'left' })
})

test('Rendezvous gives up what others wait for, and lets them wait again', async () => {
  const numbers = create(1000)
  const waiting = numbers.wait('one', never)
  numbers.giveUp()
  await assert.rejects(waiting, { message: 'no one' })
  const again = numbers.wait('one', never)
  numbers.set('one', 1)
  assert.equal(await again, 1)
})
