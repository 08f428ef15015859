import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isGoTrue, parseGoBoolean } from './go-boolean.ts'

test('parseGoBoolean takes what Go takes', () => {
  for (const text of ['1', 't', 'T', 'true', 'TRUE', 'True']) assert.equal(parseGoBoolean(text), true)
  for (const text of ['0', 'f', 'F', 'false', 'FALSE', 'False']) assert.equal(parseGoBoolean(text), false)
  for (const text of ['', 'yes', 'tRUE', '2']) {
    assert.throws(() => parseGoBoolean(text), { name: 'SyntaxError', message: `strconv.ParseBool: parsing "${text}": invalid syntax` })
  }
})

test('isGoTrue takes what is no boolean for no', () => {
  for (const text of ['1', 'True']) assert.equal(isGoTrue(text), true)
  for (const text of ['0', 'yes', '', undefined]) assert.equal(isGoTrue(text), false)
})
