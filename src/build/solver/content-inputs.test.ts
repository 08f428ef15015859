import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { CopyAction, FileAction, FileOp } from '../graph/types.ts'
import { copy, edge, image } from '../testing/fake-parts.ts'
import { contentInputs } from './content-inputs.ts'

const { op } = copy(image('base'), image('other'), '/src')
const [action] = (op as FileOp).actions

/** Indices of the inputs that count by content, in a step with two. */
function indices(...actions: FileAction[]): number[] {
  return [...contentInputs({ op: { kind: 'file', actions }, inputs: [edge(image('base')), edge(image('other'))] }).keys()]
}

/** The copy, from somewhere else. */
function from(index: number): FileAction {
  return { ...(action as FileAction & CopyAction), from: index }
}

describe('contentInputs', () => {
  it('are those that are copied from, by what is copied', () => {
    const [[index, selections] = []] = contentInputs(copy(image('base'), image('other'), '/src'))
    assert.equal(index, 1)
    assert.deepEqual(selections, [{ path: '/src', followLinks: true, wildcard: true, includePatterns: [], excludePatterns: [] }])
  })

  it('are not what a step builds on as well', () => {
    assert.deepEqual(indices(from(0)), [])
    assert.deepEqual(indices(from(1), { action: 'mkfile', path: '/f', mode: 0o644, data: new Uint8Array(), input: 1, output: -1 }), [])
  })

  it('are neither nothing nor what an action before has left', () => {
    assert.deepEqual(indices(from(-1)), [])
    assert.deepEqual(indices({ action: 'mkfile', path: '/f', mode: 0o644, data: new Uint8Array(), input: -1, output: -1 }, from(2)), [])
  })
})
