import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseJson } from './limited-json.ts'
import { LimitExceededError } from './read-limited.ts'

const limits = { maxBytes: 100, maxDepth: 3 }

test('parseJson parses within the limits', () => {
  assert.deepEqual(parseJson('{"a":[{"b":"]]]]{{{{\\""}]}', limits), { a: [{ b: ']]]]{{{{"' }] })
  assert.equal(parseJson(Buffer.from('3'), limits), 3)
})

test('parseJson refuses too many bytes, counted in UTF-8', () => {
  assert.throws(() => parseJson(`"${'é'.repeat(50)}"`, limits), LimitExceededError)
})

test('parseJson refuses deep nesting before it parses', () => {
  assert.throws(() => parseJson('[[[[1]]]]', limits), /nested deeper than 3/)
  assert.throws(() => parseJson('['.repeat(99), limits), RangeError)
})

test('parseJson throws SyntaxError for malformed text', () => {
  assert.throws(() => parseJson('{', limits), SyntaxError)
})
