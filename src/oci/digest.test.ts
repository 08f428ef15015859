import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { chainIds } from './chain-id.ts'
import { createDigester, digestOf, hexOf, isDigest, parseDigest } from './digest.ts'

const EMPTY = 'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'

describe('digestOf', () => {
  it('gives the SHA-256 of bytes, as the digester does piece by piece', () => {
    assert.equal(digestOf(''), EMPTY)
    const digester = createDigester()
    digester.update(Buffer.from('ab'))
    digester.update(Buffer.from('c'))
    assert.equal(digester.digest(), digestOf('abc'))
  })
})

describe('parseDigest', () => {
  it('takes sha256 with 64 hex digits', () => {
    assert.equal(parseDigest(EMPTY), EMPTY)
    assert.equal(hexOf(parseDigest(EMPTY)).length, 64)
  })

  it('refuses anything that is no file name of 64 hex digits', () => {
    const CASES: [string, string][] = [
      ['', 'invalid checksum digest format'],
      ['sha256:', 'invalid checksum digest format'],
      ['sha256:abc', 'invalid checksum digest length'],
      [`sha256:${'A'.repeat(64)}`, 'invalid checksum digest format'],
      [`sha256:../../${'a'.repeat(58)}`, 'invalid checksum digest format'],
      [`sha512:${'a'.repeat(128)}`, 'unsupported digest algorithm'],
    ]
    for (const [text, message] of CASES) {
      assert.equal(isDigest(text), false)
      assert.throws(() => parseDigest(text), { code: 'INVALID_ARGUMENT', message })
    }
  })
})

describe('chainIds', () => {
  it('chains by the rule of image-spec config.md', () => {
    const [a, b, c] = [digestOf('a'), digestOf('b'), digestOf('c')]
    const ab = digestOf(`${a} ${b}`)
    assert.deepEqual(chainIds([a, b, c]), [a, ab, digestOf(`${ab} ${c}`)])
    assert.deepEqual(chainIds([]), [])
  })
})
