import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { DEFAULT_DETACH_KEYS, DetachScanner, parseDetachKeys } from './detach-keys.ts'

describe('parseDetachKeys', () => {
  it('reads control keys, letters and DEL', () => {
    assert.deepEqual([...parseDetachKeys('ctrl-a,b,ctrl-@,ctrl-[,ctrl-_,DEL')], [1, 98, 0, 27, 31, 127])
  })

  it('gives ctrl-p ctrl-q for nothing', () => {
    assert.deepEqual([...parseDetachKeys('')], [16, 17])
  })

  it('refuses what is no key', () => {
    for (const bad of ['ctrl-1', 'ctrl-', 'alt-a', 'ab', 'a,']) assert.throws(() => parseDetachKeys(bad), { code: 'INVALID_ARGUMENT' }, bad)
  })
})

describe('DetachScanner.scan', () => {
  /** Feeds chunks; gives what went through and whether the sequence was found. */
  const scan = (keys: Buffer, chunks: string[]): { through: string; detached: boolean } => {
    const scanner = new DetachScanner(keys)
    let through = ''
    for (const chunk of chunks) {
      const { data, detached } = scanner.scan(Buffer.from(chunk, 'latin1'))
      through += data.toString('latin1')
      if (detached) return { through, detached }
    }
    return { through, detached: false }
  }
  const [p, q] = ['\x10', '\x11']

  it('lets ordinary input through untouched', () => {
    const chunk = Buffer.from('ls -l\n')
    assert.equal(new DetachScanner(DEFAULT_DETACH_KEYS).scan(chunk).data, chunk)
  })

  it('finds the sequence in one chunk and drops it', () => {
    assert.deepEqual(scan(DEFAULT_DETACH_KEYS, [`abc${p}${q}def`]), { through: 'abc', detached: true })
  })

  it('finds the sequence over two chunks', () => {
    assert.deepEqual(scan(DEFAULT_DETACH_KEYS, [`abc${p}`, q]), { through: 'abc', detached: true })
  })

  it('gives back a sequence that was only begun', () => {
    assert.deepEqual(scan(DEFAULT_DETACH_KEYS, [`a${p}`, 'b']), { through: `a${p}b`, detached: false })
  })

  it('takes the first key again as a new beginning', () => {
    assert.deepEqual(scan(DEFAULT_DETACH_KEYS, [`${p}${p}${q}`]), { through: p, detached: true })
  })

  it('works with one key', () => {
    assert.deepEqual(scan(Buffer.from('x'), ['abxc']), { through: 'ab', detached: true })
  })
})
