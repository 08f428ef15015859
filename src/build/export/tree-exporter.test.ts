import assert from 'node:assert/strict'
import { test } from 'node:test'
import { directoryName } from './tree-exporter.ts'

test('directoryName gives one name of a directory, whatever a client calls a platform', () => {
  assert.equal(directoryName('linux/arm/v7'), 'linux_arm_v7')
  assert.deepEqual(['.', '..', '../..', 'C:\\x', 'a\0b', '...'].map(directoryName), ['_', '_', '.._..', 'C__x', 'a_b', '...'])
})
