import assert from 'node:assert/strict'
import { test } from 'node:test'
import { canGenerate, filesOf, freshFiles, GENERATED } from './gen-grpc.ts'

test('generated messages are what gen-grpc makes of the .proto files', { skip: canGenerate() ? false : 'buf is not installed' }, () => {
  assert.deepEqual(filesOf(GENERATED), freshFiles(), 'stale: run node tools/gen-grpc.ts')
})
