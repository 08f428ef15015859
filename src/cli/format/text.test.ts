import assert from 'node:assert/strict'
import { it } from 'node:test'
import { ellipsis, labelsText, naturalCompare, printable, quote } from './text.ts'

it('ellipsis cuts to columns, wide characters counting two', () => {
  assert.equal(ellipsis('abcdef', 6), 'abcdef')
  assert.equal(ellipsis('abcdefg', 6), 'abcde…')
  assert.equal(ellipsis('日本語文字', 6), '日本…')
  assert.equal(ellipsis('abc', 0), '')
})

it('quote writes Go string literals', () => {
  assert.equal(quote('a "b" \\ \n\t\x01 é \u200b'), String.raw`"a \"b\" \\ \n\t\x01 é \u200b"`)
})

it('printable leaves nothing that a terminal obeys', () => {
  assert.equal(printable('layers/1/\x1b[2J\r\u009b"é'), String.raw`layers/1/\x1b[2J\x0d\u009b"é`)
})

it('labelsText sorts by key', () => {
  assert.equal(labelsText({ b: '2', a: '' }), 'a=,b=2')
  assert.equal(labelsText(null), '')
})

it('naturalCompare counts runs of digits as numbers', () => {
  assert.deepEqual(['v10', 'v9', 'a', 'v9b', 'v'].sort(naturalCompare), ['a', 'v', 'v9', 'v9b', 'v10'])
})
