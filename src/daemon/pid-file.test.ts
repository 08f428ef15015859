import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { writePidFile } from './pid-file.ts'

describe('writePidFile', () => {
  let directory = ''
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'gantry-pid-'))
  })
  afterEach(() => rmSync(directory, { recursive: true }))

  it('writes the pid, with directories, and takes it away again', () => {
    const path = join(directory, 'a/b.pid')
    {
      using _file = writePidFile(path)
      assert.equal(readFileSync(path, 'utf8'), String(process.pid))
    }
    assert.equal(existsSync(path), false)
  })

  it('takes over the file of a daemon that is gone, of another program, or without a number', () => {
    const path = join(directory, 'pid')
    // Init is alive, but no daemon of ours.
    for (const stale of ['4194304', '1', 'garbage', '']) {
      writeFileSync(path, stale)
      using _file = writePidFile(path)
      assert.equal(readFileSync(path, 'utf8'), String(process.pid))
    }
  })

  it('leaves a file alone that another daemon has taken over', () => {
    const path = join(directory, 'pid')
    const file = writePidFile(path)
    writeFileSync(path, '12345')
    file[Symbol.dispose]()
    assert.equal(readFileSync(path, 'utf8'), '12345')
  })
})
