import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { loadConfigFile } from './config-file.ts'

let directory: string
beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'config-'))))
afterEach(() => rmSync(directory, { recursive: true }))

describe('loadConfigFile', () => {
  it('reads nothing from nothing', () => {
    assert.deepEqual(loadConfigFile(directory), { config: {} })
  })

  it('warns about a file that cannot be read and goes on', () => {
    writeFileSync(join(directory, 'config.json'), '{')
    assert.match(loadConfigFile(directory).warning ?? '', /^WARNING: Error parsing config file/)
    writeFileSync(join(directory, 'config.json'), '[]')
    assert.match(loadConfigFile(directory).warning ?? '', /not a JSON object/)
  })
})
