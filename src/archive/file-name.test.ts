import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { decodeName, encodeName, systemPath } from './file-name.ts'

describe('decodeName', () => {
  it('keeps every byte, valid UTF-8 or not', () => {
    const NAMES = [
      [],
      [0x61],
      [0xc3, 0xbc],
      [0xff],
      [0x61, 0x80, 0x62],
      [0xed, 0xa0, 0x80],
      [0xf0, 0x9f, 0x98, 0x80, 0xfe],
      [0xef, 0xbf, 0xbd],
      [0xc0, 0xaf],
    ]
    for (const bytes of NAMES) assert.deepEqual(encodeName(decodeName(Buffer.from(bytes))), Buffer.from(bytes))
  })

  it('keeps all pairs of bytes apart', () => {
    const seen = new Set<string>()
    for (let pair = 0; pair < 65_536; pair += 7) seen.add(decodeName(Buffer.of(pair >> 8, pair & 255)))
    assert.equal(seen.size, Math.ceil(65_536 / 7))
  })
})

describe('systemPath', () => {
  it('is the string itself unless that is no UTF-8', () => {
    assert.equal(systemPath('ünï'), 'ünï')
    assert.deepEqual(systemPath('a\udcff'), Buffer.of(0x61, 0xff))
  })
})
