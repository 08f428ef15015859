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
    const variables = Environment.parse(['A=1'])
    const copy = variables.copy()
    copy.set('A', '2')
    assert.equal(variables.get('A'), '1')
    assert.equal(copy.get('A'), '2')
    assert.equal(copy.get('B'), undefined)
  })

  test('gives the same list until something changes', () => {
    const variables = Environment.parse(['A=1'])
    const list = variables.entries()
    assert.equal(variables.entries(), list)
    variables.set('B', '2')
    assert.deepEqual([list, variables.entries()], [['A=1'], ['A=1', 'B=2']])
  })

  test('takes over others, whose values win', () => {
    const variables = Environment.parse(['A=1', 'B=1'])
    variables.add(Environment.parse(['B=2', 'C=2']))
    assert.deepEqual(variables.entries(), ['A=1', 'B=2', 'C=2'])
  })

  test('has an end', () => {
    const many = Array.from({ length: 2049 }, (_, i) => `V${i}=`)
    assert.throws(() => Environment.parse(many), { message: 'more than 2048 variables' })
    assert.equal(Environment.parse(many.slice(1)).names().length, 2048)
  })
})
