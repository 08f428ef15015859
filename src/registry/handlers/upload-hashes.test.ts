import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createDigester } from '#oci'
import { createUploadHashes } from './upload-hashes.ts'

describe('UploadHashes', () => {
  it('take gives a hash once, and only for the size it is of', () => {
    const hashes = createUploadHashes()
    const digester = createDigester()
    hashes.put('a', 5, digester)
    assert.equal(hashes.take('a', 5), digester)
    assert.equal(hashes.take('a', 5), undefined)
    hashes.put('a', 5, digester)
    assert.equal(hashes.take('a', 6), undefined)
  })

  it('put forgets the oldest of too many', () => {
    const hashes = createUploadHashes()
    for (let index = 0; index <= 4096; index++) hashes.put(String(index), 0, createDigester())
    assert.equal(hashes.take('0', 0), undefined)
    assert.notEqual(hashes.take('1', 0), undefined)
    assert.notEqual(hashes.take('4096', 0), undefined)
  })
})
