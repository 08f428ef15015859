import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Query } from './query.ts'

test("bool takes Docker's five words for false and everything else for true", () => {
  const query = new Query('a=&b=0&c=No&d=%20FALSE%20&e=none&f=1&g=x&h=off')
  assert.deepEqual(
    ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map((name) => query.bool(name)),
    [false, false, false, false, false, true, true, true],
  )
  assert.equal(query.bool('absent'), false)
  assert.equal(query.bool('absent', true), true)
  assert.equal(query.bool('a', true), false)
})

test('integer gives undefined for nothing and refuses what is none', () => {
  const query = new Query('t=-1&empty=&bad=5s&huge=99999999999999999999')
  assert.equal(query.integer('t'), -1)
  assert.equal(query.integer('empty'), undefined)
  assert.throws(() => query.integer('bad'), { message: 'strconv.Atoi: parsing "5s": invalid syntax' })
  assert.throws(() => query.integer('huge'), { message: 'strconv.Atoi: parsing "99999999999999999999": value out of range' })
})

test('uint32 refuses missing, negative and large sizes', () => {
  const query = new Query('h=24&minus=-1&large=4294967296&plus=%2B1')
  assert.equal(query.uint32('h', 'invalid resize height'), 24)
  assert.throws(() => query.uint32('w', 'invalid resize width'), { message: 'invalid resize width "": invalid syntax' })
  assert.throws(() => query.uint32('minus', 'invalid resize width'), { message: 'invalid resize width "-1": value out of range' })
  assert.throws(() => query.uint32('large', 'invalid resize width'), { message: 'invalid resize width "4294967296": value out of range' })
  assert.throws(() => query.uint32('plus', 'invalid resize width'), { message: 'invalid resize width "+1": invalid syntax' })
})
