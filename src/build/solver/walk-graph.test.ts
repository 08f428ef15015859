import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { context, copy, image, run } from '../testing/fake-parts.ts'
import { contentInputs } from './content-inputs.ts'
import { walkGraph } from './walk-graph.ts'

describe('walkGraph', () => {
  it('gives inputs before what uses them, each once', () => {
    const base = image('a')
    const left = run(base, ['left'])
    const right = run(base, ['right'])
    const top = copy(left, right)
    assert.deepEqual(
      walkGraph([top, right]).map(({ meta }) => meta.name),
      ['FROM a', 'RUN left', 'RUN right', 'COPY /'],
    )
  })
})

describe('contentInputs', () => {
  it('are those that a step only reads', () => {
    const base = image('a')
    assert.deepEqual([...contentInputs(copy(base, context(), '/src')).keys()], [1])
    assert.deepEqual(
      contentInputs(copy(base, context(), '/src'))
        .get(1)
        ?.map(({ path }) => path),
      ['/src'],
    )
    assert.equal(contentInputs(run(base, ['make'])).size, 0)
    // What it builds on and also reads counts as a whole.
    const self = copy(base, context())
    const [action] = self.op.kind === 'file' ? self.op.actions : []
    assert.ok(action?.action === 'copy')
    assert.equal(contentInputs({ ...self, op: { kind: 'file', actions: [{ ...action, from: 0 }] } }).size, 0)
  })
})
