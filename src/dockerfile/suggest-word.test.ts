import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { suggestWord } from './suggest-word.ts'

describe('suggestWord', () => {
  it('gives the nearest option', () => {
    assert.equal(suggestWord('frm', ['from', 'for', 'link']), 'from')
    assert.equal(suggestWord('lnik', ['from', 'link']), 'link')
  })
  it('gives none that is far, or when the word is one', () => {
    assert.equal(suggestWord('mount', ['link']), undefined)
    assert.equal(suggestWord('link', ['links', 'link']), undefined)
    assert.equal(suggestWord('x'.repeat(5000), ['x'.repeat(5001)]), undefined)
  })
})
