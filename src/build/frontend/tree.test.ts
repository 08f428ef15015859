import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { MergeOp } from '../graph/types.ts'
import { createSealer, Inputs, stepTree } from './tree.ts'
import type { LateTree } from './tree.ts'

const MERGE: MergeOp = { kind: 'merge' }
const late = (edge: LateTree['edge']): LateTree => ({ kind: 'late', edge })
const sealed = createSealer()(stepTree(MERGE, [], { name: 'known' }))!

describe('createSealer', () => {
  test('asks a late tree once, and only when it is needed', () => {
    let asked = 0
    const tree = late(() => {
      asked++
      return sealed
    })
    const above = stepTree(MERGE, [tree, stepTree(MERGE, [tree], { name: 'b' })], { name: 'a' })
    assert.equal(asked, 0)
    const seal = createSealer()
    const edge = seal(above)
    assert.equal(asked, 1)
    assert.equal(edge?.vertex.inputs[0], edge?.vertex.inputs[1]?.vertex.inputs[0])
    assert.equal(seal(above), edge)
  })

  test('gives nothing for an empty tree', () => {
    assert.equal(createSealer()(undefined), undefined)
  })
})

describe('Inputs', () => {
  test('names each tree once, and an empty one by -1', () => {
    const inputs = new Inputs()
    const tree = late(() => sealed)
    assert.deepEqual([inputs.index(undefined), inputs.index(tree), inputs.index(late(() => sealed)), inputs.index(tree)], [-1, 0, 1, 0])
    assert.equal(inputs.trees.length, 2)
  })
})
