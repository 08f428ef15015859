import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Environment } from './environment.ts'

describe('Environment', () => {
  test('keeps the order of names when a value is replaced', () => {
    const variables = Environment.parse(['A=1', 'B=x=y', 'C'])
    variables.set('A', '2')
    variables.set('D', '')
    assert.deepEqual(variables.entries(), ['A=2', 'B=x=y', 'C=', 'D='])
  })

  test('copies are independent', () => {
    const variables = new Environment([['A', '1']])
    const copy = variables.copy()
    copy.set('A', '2')
    assert.equal(variables.get('A'), '1')
    assert.equal(copy.get('A'), '2')
    assert.equal(copy.get('B'), undefined)
  })
})
