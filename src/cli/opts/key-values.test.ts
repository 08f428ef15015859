import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { checkEnv, checkLabel, readKeyValues, toMap } from './key-values.ts'

let directory: string
before(() => (directory = mkdtempSync(join(tmpdir(), 'opts-'))))
after(() => rmSync(directory, { recursive: true }))

function file(name: string, content: string | Buffer): string {
  const path = join(directory, name)
  writeFileSync(path, content)
  return path
}

describe('readKeyValues', () => {
  it('reads lines, skips comments, and takes values from the environment', () => {
    const path = file('env', '\ufeffA=1\n# comment\n\n  B= two \nC\nD\r\nE=x=y\n')
    assert.deepEqual(readKeyValues([path], ['Z=9'], { C: 'three' }), ['A=1', 'B= two ', 'C=three', 'E=x=y', 'Z=9'])
    assert.deepEqual(readKeyValues([path], []), ['A=1', 'B= two ', 'E=x=y'])
  })

  it('refuses names with white space, files that are missing, and bytes that are no text', () => {
    assert.throws(() => readKeyValues([file('bad', 'A B=1')], []), /variable 'A B' contains whitespaces/)
    assert.throws(() => readKeyValues([file('empty', '=1')], []), /no variable name on line '=1'/)
    assert.throws(() => readKeyValues(['/nonexistent'], []), { message: 'open /nonexistent: no such file or directory' })
    assert.throws(() => readKeyValues([file('binary', Buffer.from([0x41, 0xff]))], []), /invalid utf8/)
  })
})

it('checkEnv completes names from the environment', () => {
  assert.equal(checkEnv('A', { A: '1' }), 'A=1')
  assert.equal(checkEnv('A=', { A: '1' }), 'A=')
  assert.equal(checkEnv('B', {}), 'B')
  assert.throws(() => checkEnv('=x', {}), { message: 'invalid environment variable: =x' })
})

it('checkLabel and toMap', () => {
  assert.equal(checkLabel('a=b c'), 'a=b c')
  assert.throws(() => checkLabel('=x'), /empty name/)
  assert.deepEqual(
    toMap(['a=1', 'b', 'a=2', '__proto__=x']),
    Object.fromEntries([
      ['a', '2'],
      ['b', ''],
      ['__proto__', 'x'],
    ]),
  )
})
