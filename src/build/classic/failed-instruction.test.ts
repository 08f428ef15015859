import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BuildError } from '../build-error.ts'
import { failedInstruction } from './failed-instruction.ts'

const TEXT = 'ARG V=1\nFROM base\nRUN a \\\n  b\n\nEXPOSE x\n'

function errorAt(start: number, text: string = TEXT): BuildError {
  return new BuildError('INVALID_ARGUMENT', 'wrong', { source: { file: { name: 'Dockerfile', text }, start, end: start } })
}

test('failedInstruction counts as steps are counted, labels of the client with them', () => {
  assert.deepEqual(failedInstruction(errorAt(2), 0), { number: 2, total: 4, text: 'FROM base' })
  assert.deepEqual(failedInstruction(errorAt(6), 2), { number: 4, total: 6, text: 'EXPOSE x' })
})

test('failedInstruction knows nothing of errors without a place, and of Dockerfiles that cannot be read', () => {
  assert.equal(failedInstruction(new BuildError('NOT_FOUND', 'no Dockerfile'), 0), undefined)
  assert.equal(failedInstruction(new Error('no Dockerfile'), 0), undefined)
  assert.equal(failedInstruction(errorAt(2, 'FROM base\nFOO x\n'), 0), undefined)
})
