import assert from 'node:assert/strict'
import { it } from 'node:test'
import { alignTabs } from './tabwriter.ts'

const TABLE = { minWidth: 10, padding: 3 }

it('alignTabs pads columns to the widest cell and at least to the minimum', () => {
  assert.equal(alignTabs('ID\tNAME\tX\nabcdefghij\tn\ty\n', TABLE), 'ID           NAME      X\nabcdefghij   n         y\n')
})

it('alignTabs counts characters, not bytes', () => {
  assert.equal(alignTabs('äöü…äöü…\tx\nabcdefgh\ty', TABLE), 'äöü…äöü…   x\nabcdefgh   y')
})

it('alignTabs ends a column at a line that has no cell in it', () => {
  assert.equal(alignTabs('a\tb\n\nlonger cell here\tb\n', TABLE), 'a         b\n\nlonger cell here   b\n')
})

it('alignTabs leaves the last cell alone', () => {
  assert.equal(alignTabs('a\tlast\nb\tlonger last', TABLE), 'a         last\nb         longer last')
})
