import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { protocolHeader } from './gen-protocol.ts'

test('protocol.h is what gen-protocol makes of protocol.ts', () => {
  const header = readFileSync(join(import.meta.dirname, '../native/init/protocol.h'), 'utf8')
  assert.equal(header, protocolHeader(), 'stale: run node tools/gen-protocol.ts')
})
