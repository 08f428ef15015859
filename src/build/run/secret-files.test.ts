import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { createFakeMounts } from '#kernel'
import { SecretFiles } from './secret-files.ts'

const TMPFS_MAGIC = 0x01021994

describe('SecretFiles', () => {
  let parent: string
  before(() => (parent = mkdtempSync(join(tmpdir(), 'gantry-secrets-'))))
  after(() => rmSync(parent, { recursive: true }))
  const owner = { mode: 0o440, uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }

  it('writes files that only root gets to, and takes them away', () => {
    const directory = join(parent, 'a')
    const mounts = createFakeMounts()
    const secrets = new SecretFiles(directory, mounts)
    const [first, second] = [secrets.add(Buffer.from('one'), owner), secrets.add(Buffer.from('two'), { ...owner, mode: 0o600 })]
    assert.deepEqual([readFileSync(first, 'utf8'), readFileSync(second, 'utf8')], ['one', 'two'])
    assert.deepEqual([statSync(first).mode & 0o7777, statSync(second).mode & 0o7777], [0o440, 0o600])
    assert.equal(statSync(directory).mode & 0o7777, 0o700)
    // A disk gets a file system of its own for them, memory does not need one.
    const expected = statfsSync(parent).type === TMPFS_MAGIC ? [] : ['mount']
    assert.deepEqual(
      mounts.calls.map(({ call }) => call),
      expected,
    )
    secrets[Symbol.dispose]()
    assert.equal(existsSync(directory), false)
    assert.equal(mounts.calls.length, expected.length * 2)
    secrets[Symbol.dispose]()
    assert.equal(mounts.calls.length, expected.length * 2)
  })

  it('makes nothing where there is no secret', () => {
    const mounts = createFakeMounts()
    new SecretFiles(join(parent, 'b'), mounts)[Symbol.dispose]()
    assert.equal(existsSync(join(parent, 'b')), false)
    assert.deepEqual(mounts.calls, [])
  })
})
