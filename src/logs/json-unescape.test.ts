import assert from 'node:assert/strict'
import { test } from 'node:test'
import { unescapeJson } from './json-unescape.ts'

function unescape(json: string): string {
  const source = Buffer.from(json)
  const target = Buffer.alloc(source.length)
  return target.toString('utf8', 0, unescapeJson(source, 0, source.length, target, 0))
}

test('unescapeJson agrees with JSON.parse', () => {
  const texts = [
    '',
    'plain',
    'a\\nb\\tc\\rd\\be\\ff\\/g',
    '\\"quoted\\"',
    '\\\\n',
    '\\u0041\\u00e9\\u20ac',
    '\\ud83d\\ude00!',
    'é€😀\\u0000',
    '\\u003c\\u2028',
  ]
  for (const text of texts) assert.equal(unescape(text), JSON.parse(`"${text}"`), text)
})

test('unescapeJson replaces half surrogates', () => {
  assert.equal(unescape('\\ud83d'), '\ufffd')
  assert.equal(unescape('\\ude00x'), '\ufffdx')
  assert.equal(unescape('\\ud83d\\u0041'), '\ufffdA')
})

test('unescapeJson keeps a backslash that begins no escape', () => {
  assert.equal(unescape('a\\'), 'a\\')
  assert.equal(unescape('\\q'), '\\q')
  assert.equal(unescape('\\u12'), '\\u12')
})
