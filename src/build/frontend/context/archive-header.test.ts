import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { encodeEntry, tarEntry } from '#archive'
import { looksLikeArchive } from './archive-header.ts'

describe('looksLikeArchive', () => {
  test('knows archives by their first bytes', () => {
    const tar = encodeEntry(tarEntry({ path: 'Dockerfile' })).header
    assert.equal(looksLikeArchive(tar), true)
    assert.equal(looksLikeArchive(gzipSync('x')), true)
    assert.equal(looksLikeArchive(Buffer.alloc(1024)), true, 'with nothing in it')
    assert.equal(looksLikeArchive(Buffer.concat([Buffer.from('X'), tar.subarray(1)])), false)
  })

  test('takes anything else for a Dockerfile', () => {
    assert.equal(looksLikeArchive(Buffer.from('FROM alpine\n')), false)
    assert.equal(looksLikeArchive(Buffer.alloc(100)), false)
    assert.equal(looksLikeArchive(Buffer.alloc(0)), false)
  })
})
