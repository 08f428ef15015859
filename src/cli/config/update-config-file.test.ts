import assert from 'node:assert/strict'
import {
  chownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { updateConfigFile } from './update-config-file.ts'

let directory: string
// In one process with all the others: hooks outside a suite would run for every test there is.
describe('updateConfigFile', () => {
  beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'config-'))))
  afterEach(() => rmSync(directory, { recursive: true }))

  it('keeps unknown keys and refuses to replace a broken file', () => {
    const path = join(directory, 'config.json')
    writeFileSync(path, '{"unknown":1}')
    updateConfigFile(directory, (config) => (config.currentContext = 'x'))
    assert.deepEqual(JSON.parse(readFileSync(path, 'utf8')), { auths: {}, currentContext: 'x', unknown: 1 })
    assert.equal(statSync(path).mode & 0o777, 0o600)
    writeFileSync(path, '{')
    assert.throws(() => updateConfigFile(directory, () => {}), /Error parsing config file/)
    assert.equal(readFileSync(path, 'utf8'), '{')
  })

  it('writes through a link, also one to a file that is still to be made', () => {
    mkdirSync(join(directory, 'docker'))
    const path = join(directory, 'docker/config.json')
    symlinkSync('../kept.json', path)
    for (const currentContext of ['made', 'changed']) {
      updateConfigFile(join(directory, 'docker'), (config) => (config.currentContext = currentContext))
      assert.ok(lstatSync(path).isSymbolicLink())
      assert.deepEqual(JSON.parse(readFileSync(join(directory, 'kept.json'), 'utf8')), { auths: {}, currentContext })
    }
    assert.deepEqual(readdirSync(join(directory, 'docker')), ['config.json'])
  })

  it('leaves the file its owner and takes rights from others', { skip: process.getuid?.() !== 0 && 'not root' }, () => {
    const path = join(directory, 'config.json')
    writeFileSync(path, '{}', { mode: 0o644 })
    chownSync(path, 1234, 4321)
    updateConfigFile(directory, (config) => (config.currentContext = 'x'))
    const { uid, gid, mode } = statSync(path)
    assert.deepEqual([uid, gid, mode & 0o777], [1234, 4321, 0o600])
  })

  it('leaves nothing behind when it cannot write', () => {
    mkdirSync(join(directory, 'config.json'))
    assert.throws(() => updateConfigFile(directory, () => {}))
    assert.deepEqual(readdirSync(directory), ['config.json'])
  })
})
