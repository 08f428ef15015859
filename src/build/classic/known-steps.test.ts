import assert from 'node:assert/strict'
import { test } from 'node:test'
import { digestOf } from '#oci'
import { KnownSteps, stepNames } from './known-steps.ts'

test('KnownSteps knows what was added, and forgets what is oldest', () => {
  const known = new KnownSteps()
  const name = (number: number) => digestOf(Buffer.from(String(number)))
  assert.deepEqual([known.add(name(0)), known.add(name(1)), known.add(name(0))], [false, false, true])
  for (let number = 2; number <= 20_000; number++) known.add(name(number))
  assert.deepEqual([known.add(name(0)), known.add(name(1))], [true, false])
})

test('stepNames differ by all that stands in front, by the base and by the arguments that are taken', () => {
  const names = (texts: string[], value: string, base = 'base') =>
    stepNames(
      texts.map((text) => ({ text, vertex: text.startsWith('FROM') ? digestOf(Buffer.from(base)) : undefined })),
      { 'build-arg:A': value, 'build-arg:B': value },
    )
  const [, arg, user] = names(['FROM x', 'ARG A', 'USER u'], '1')
  assert.deepEqual(names(['FROM x', 'ARG A', 'USER u', 'CMD y'], '1').slice(1, 3), [arg, user])
  assert.notEqual(names(['FROM x', 'ARG A', 'USER u'], '2')[2], user)
  assert.notEqual(names(['FROM x', 'ARG A', 'USER u'], '1', 'other')[2], user)
  assert.notEqual(names(['FROM x', 'USER u'], '1')[1], user)
  assert.equal(names(['FROM x', 'USER u'], '1')[1], names(['FROM x', 'USER u'], '2')[1])
})
