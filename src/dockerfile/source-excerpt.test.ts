import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { sourceExcerpt } from './source-excerpt.ts'

const file = { name: 'Dockerfile', text: 'FROM a\nRUN 1\nRUN 2\nRUN 3\nRUN 4\nRUN 5\n' }

describe('sourceExcerpt', () => {
  it('shows a line with its neighbours', () => {
    assert.equal(
      sourceExcerpt({ file, start: 4, end: 4 }),
      [
        'Dockerfile:4',
        '--------------------',
        '   2 |     RUN 1',
        '   3 |     RUN 2',
        '   4 | >>> RUN 3',
        '   5 |     RUN 4',
        '   6 |     RUN 5',
        '--------------------',
        '',
      ].join('\n'),
    )
  })

  it('shows less around several lines, and ends with the file', () => {
    assert.match(sourceExcerpt({ file: { name: 'x', text: 'A\nB' }, start: 1, end: 9 }), /^x:1\n-+\n {3}1 \| >>> A\n {3}2 \| >>> B\n-+\n$/)
  })

  it('is empty outside the file', () => {
    assert.equal(sourceExcerpt({ file, start: 90, end: 90 }), '')
  })
})
