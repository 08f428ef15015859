import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { checkContextName, listContexts, readContext, readContextTls, removeContext, tlsDirectory, writeContext } from './context-store.ts'

let directory: string
// In one process with all the others: hooks outside a suite would run for every test there is.
describe('a directory of contexts', () => {
  beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'config-'))))
  afterEach(() => rmSync(directory, { recursive: true }))

  describe('contexts', () => {
    it('are written, listed, read and removed', () => {
      writeContext(
        directory,
        { Name: 'b', Metadata: { Description: 'd' }, Endpoints: { docker: { Host: 'tcp://b', SkipTLSVerify: false } } },
        { ca: 'pem' },
      )
      writeContext(directory, { Name: 'a', Metadata: {}, Endpoints: {} })
      assert.deepEqual(
        listContexts(directory).map(({ Name }) => Name),
        ['a', 'b'],
      )
      assert.deepEqual(readContextTls(directory, 'b'), { ca: 'pem' })
      assert.equal(statSync(join(tlsDirectory(directory, 'b'), 'docker', 'ca.pem')).mode & 0o777, 0o600)
      removeContext(directory, 'b')
      assert.throws(() => readContext(directory, 'b'), /context "b": context not found/)
    })

    it('have names that are safe', () => {
      for (const name of ['', 'default', '../x', 'a/b', '-a', 'a']) assert.throws(() => checkContextName(name), name)
      checkContextName('my-context_1.x+y')
    })
  })
})
