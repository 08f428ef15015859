import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, it } from 'node:test'
import { updateConfigFile } from './update-config-file.ts'

let directory: string
beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'config-'))))
afterEach(() => rmSync(directory, { recursive: true }))

it('updateConfigFile keeps unknown keys and refuses to replace a broken file', () => {
  const path = join(directory, 'config.json')
  writeFileSync(path, '{"unknown":1}')
  updateConfigFile(directory, (config) => (config.currentContext = 'x'))
  assert.deepEqual(JSON.parse(readFileSync(path, 'utf8')), { auths: {}, currentContext: 'x', unknown: 1 })
  assert.equal(statSync(path).mode & 0o777, 0o600)
  writeFileSync(path, '{')
  assert.throws(() => updateConfigFile(directory, () => {}), /Error parsing config file/)
  assert.equal(readFileSync(path, 'utf8'), '{')
})
