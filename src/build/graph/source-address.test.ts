import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { addressOf } from './source-address.ts'
import type { GitSource, HttpSource } from './types.ts'

const git = (remote: string): GitSource => ({
  kind: 'git',
  remote,
  ref: 'main',
  subdirectory: '',
  keepGitDirectory: false,
  skipSubmodules: false,
  authTokenSecret: '',
  authHeaderSecret: '',
})
const http = (url: string): HttpSource => ({ kind: 'http', url, filename: '', uid: 0, gid: 0, authHeaderSecret: '' })

describe('addressOf', () => {
  it('gives a repository one name, however its address is spelt', () => {
    const SPELLINGS = [
      'https://example.com/a/b.git',
      'HTTPS://me:secret@Example.com:443/a/b.git/',
      'https://example.com//a/./%62.git',
      'ssh://git@example.com/a/b.git',
      'ssh://git@example.com:22/a/b.git',
      'git://example.com:9418/a/b.git',
      'git@example.com:a/b.git',
      'git@EXAMPLE.com:/a/b.git',
    ]
    for (const remote of SPELLINGS) {
      const { identifier, attributes } = addressOf(git(remote))
      assert.equal(identifier, 'git://example.com/a/b.git#main', remote)
      assert.equal(attributes['git.fullurl'], remote)
    }
    assert.equal(addressOf(git('ssh://git@example.com:2222/a')).identifier, 'git://example.com:2222/a#main')
  })

  it('gives a file the address that its server is asked for', () => {
    for (const url of ['https://example.com/a', 'https://me:secret@EXAMPLE.com:443/b/../a#part'])
      assert.equal(addressOf(http(url)).identifier, 'https://example.com/a')
  })
})
