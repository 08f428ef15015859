import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { goList, quote, quoteList } from './go-format.ts'

describe('quote', () => {
  test('writes as Go’s %q', () => {
    assert.equal(quote('a "b" \\ \t\n\u0001'), String.raw`"a \"b\" \\ \t\n\x01"`)
    assert.equal(quote('ä – 日本 😀'), '"ä – 日本 😀"')
    assert.equal(quote('\u200b\u{e0001}'), String.raw`"\u200b\U000e0001"`)
  })

  test('lists have blanks between', () => {
    assert.equal(quoteList(['a', 'b c']), '["a" "b c"]')
    assert.equal(goList(['a', 'b c']), '[a b c]')
  })
})
