import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { notFound } from '#errors'
import { BuildError } from './build-error.ts'

const file = { name: 'Dockerfile', text: 'FROM a\nRUN 1\n' }

describe('BuildError.from', () => {
  it('keeps code and text, and what is known already', () => {
    const inner = BuildError.from(notFound('"/x": not found'), { source: { file, start: 1, end: 1 } })
    const outer = BuildError.from(inner, { source: { file, start: 2, end: 2 }, vertex: 'sha256:1' })
    assert.deepEqual([outer.code, outer.message, outer.source?.start, outer.vertex], ['NOT_FOUND', '"/x": not found', 1, 'sha256:1'])
  })

  it('tells what failed first when undoing it failed, too', () => {
    const error = new SuppressedError(new Error('no undo'), new SuppressedError(new Error('nor this'), notFound('"/x": not found')))
    const { code, message } = BuildError.from(error, {})
    assert.deepEqual([code, message], ['NOT_FOUND', '"/x": not found'])
  })
})
