import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createSysctls } from './sysctls.ts'

test('sysctls read without newline, write, and know absent ones', () => {
  const root = mkdtempSync(join(tmpdir(), 'gantry-sysctls-'))
  try {
    mkdirSync(join(root, 'net'))
    writeFileSync(join(root, 'net/x'), '32768\t60999\n')
    const sysctls = createSysctls(root)
    assert.equal(sysctls.read('net/x'), '32768\t60999')
    assert.equal(sysctls.read('net/y'), undefined)
    sysctls.write('net/x', '1')
    assert.equal(readFileSync(join(root, 'net/x'), 'utf8'), '1')
    assert.throws(() => sysctls.read('net'), { code: 'EISDIR' })
  } finally {
    rmSync(root, { recursive: true })
  }
})
