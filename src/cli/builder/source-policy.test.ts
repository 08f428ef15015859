import assert from 'node:assert/strict'
import { mkdtempDisposableSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { readSourcePolicy } from './source-policy.ts'

describe('readSourcePolicy', () => {
  it('reads the file that the variable names, and tells of one that it cannot read', () => {
    using directory = mkdtempDisposableSync(join(tmpdir(), 'gantry-policy-'))
    const path = join(directory.path, 'policy.json')
    const read = (file: string): ReturnType<typeof readSourcePolicy> => readSourcePolicy({ EXPERIMENTAL_BUILDKIT_SOURCE_POLICY: file })
    assert.equal(readSourcePolicy({}), undefined)
    assert.throws(() => read(path), { message: `failed to read source policy from ${path}: open ${path}: no such file or directory` })
    writeFileSync(path, '{"rules":[{"action":"DENY","selector":{"identifier":"*"}}]}')
    assert.equal(read(path)?.rules[0]?.selector?.identifier, '*')
    writeFileSync(path, '{"rules":')
    assert.throws(() => read(path), /^Error: failed to read source policy from /)
  })
})
