import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { digestOfData } from '../graph/digest.ts'
import { PLAIN_EXEC } from '../graph/plain-exec.ts'
import type { ExecOp } from '../graph/types.ts'
import { stepKey } from './cache-key.ts'

const INPUT = { key: digestOfData('base'), output: 0 }

function exec(members: Partial<ExecOp>): ExecOp {
  return { ...PLAIN_EXEC, args: ['make'], platform: { os: 'linux', architecture: 'amd64' }, ...members }
}

describe('stepKey', () => {
  it('tells what runs on different platforms apart, though the files are the same', () => {
    const key = stepKey(exec({}), [INPUT])
    assert.notEqual(stepKey(exec({ platform: { os: 'linux', architecture: 'arm64' } }), [INPUT]), key)
    assert.equal(stepKey(exec({}), [INPUT]), key)
  })

  it('does not know of proxies', () => {
    assert.equal(stepKey(exec({ proxyEnv: ['HTTP_PROXY=http://me:secret@proxy'] }), [INPUT]), stepKey(exec({}), [INPUT]))
  })
})
