import assert from 'node:assert/strict'
import { test } from 'node:test'
import { booleanFilter, parseFilters, untilFilter } from './filters.ts'

test('parseFilters reads lists and the older maps', () => {
  assert.deepEqual(parseFilters('{"label":["a=b","c"],"status":null}'), { label: ['a=b', 'c'], status: [] })
  assert.deepEqual(parseFilters('{"label":{"a=b":true,"c":false}}'), { label: ['a=b'] })
  assert.deepEqual(parseFilters(''), {})
  assert.deepEqual(parseFilters('null'), {})
})

test('parseFilters refuses every other shape', () => {
  for (const text of ['{', '[]', '"x"', '{"label":"a"}', '{"label":[1]}', '{"label":{"a":1}}', '{"label":5}']) {
    assert.throws(() => parseFilters(text), { code: 'INVALID_ARGUMENT' }, text)
  }
})

test('parseFilters refuses keys that the resource does not have', () => {
  assert.throws(() => parseFilters('{"nmae":["x"]}', ['name']), { message: "invalid filter 'nmae'" })
})

test('parseFilters keeps a key named like an object member apart', () => {
  const filters = parseFilters('{"__proto__":["x"]}')
  assert.deepEqual(Object.keys(filters), ['__proto__'])
  assert.equal(Object.getPrototypeOf(filters), Object.prototype)
})

test('booleanFilter takes one truth, not two', () => {
  assert.equal(booleanFilter({ dangling: ['true'] }, 'dangling'), true)
  assert.equal(booleanFilter({ dangling: ['0'] }, 'dangling'), false)
  assert.equal(booleanFilter({}, 'dangling'), undefined)
  assert.throws(() => booleanFilter({ dangling: ['true', 'false'] }, 'dangling'), { code: 'INVALID_ARGUMENT' })
  assert.throws(() => booleanFilter({ dangling: ['yes'] }, 'dangling'), { code: 'INVALID_ARGUMENT' })
})

test('untilFilter gives milliseconds and takes one value', () => {
  assert.equal(untilFilter({ until: ['1700000000.5'] }), 1_700_000_000_500)
  assert.equal(untilFilter({}), undefined)
  assert.throws(() => untilFilter({ until: ['1', '2'] }), { message: 'more than one until filter specified' })
})
