import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { removeDirectory } from './remove-directory.ts'

describe('removeDirectory', () => {
  let parent = ''
  beforeEach(() => {
    parent = mkdtempSync(join(tmpdir(), 'gantry-remove-'))
  })
  afterEach(() => rmSync(parent, { recursive: true }))

  it('deletes what is usual and what is not, and does not mind what is missing', async () => {
    const path = join(parent, 'd')
    await removeDirectory(path, ['a'])
    for (const name of [[], ['a'], ['b'], ['a', 'deep/er']]) {
      mkdirSync(path)
      for (const file of name) {
        mkdirSync(join(path, file, '..'), { recursive: true })
        writeFileSync(join(path, file), '')
      }
      await removeDirectory(path, ['a', 'absent'])
      assert.equal(existsSync(path), false)
    }
  })

  it('tells when it is not allowed to', async () => {
    await assert.rejects(removeDirectory('/proc/self'), /EPERM|EACCES|ENOTEMPTY|EBUSY|ENOENT/)
  })
})
