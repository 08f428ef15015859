import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ATTR, MS, parseMountOptions } from './mount-options.ts'

function parse(...options: string[]): ReturnType<typeof parseMountOptions> {
  return parseMountOptions(options, '/target')
}

test('parseMountOptions keeps what is no word of mount(8) as data, in order', () => {
  assert.equal(parse('nosuid', 'size=64k', 'defaults', 'mode=755').data, 'size=64k,mode=755')
})

test('parseMountOptions lets the later of two opposite words win', () => {
  assert.equal(parse('ro', 'noexec', 'rw').flags, MS.noexec)
  assert.equal(parse('rw', 'ro').flags, MS.rdonly)
})

test('parseMountOptions of a bind sets attributes and leaves the source’s restrictions', () => {
  const { bind, recursive, set, clear, propagation, recursiveAttributes } = parse('rbind', 'ro', 'nosuid', 'exec', 'rslave')
  assert.deepEqual([bind, recursive, recursiveAttributes], [true, true, false])
  assert.equal(set, ATTR.rdonly | ATTR.nosuid)
  assert.equal(clear, 0)
  assert.equal(propagation, MS.slave | MS.rec)
})

test('parseMountOptions of recursive words applies them to the tree, and clears where asked', () => {
  const { recursiveAttributes, set, clear } = parse('rbind', 'rro', 'rdev')
  assert.equal(recursiveAttributes, true)
  assert.equal(set, ATTR.rdonly)
  assert.equal(clear, ATTR.nodev)
})

test('parseMountOptions clears the mask of access time modes before it sets one', () => {
  assert.deepEqual([parse('bind', 'noatime').set, parse('bind', 'noatime').clear], [ATTR.noatime, ATTR.atimeMask])
  assert.deepEqual([parse('bind', 'noatime', 'relatime').set, parse('bind', 'relatime').clear], [0, ATTR.atimeMask])
})

test('parseMountOptions takes rprivate and relatime for what they are, not for recursive words', () => {
  assert.equal(parse('rprivate').propagation, MS.private | MS.rec)
  const { flags, recursiveAttributes } = parse('relatime')
  assert.deepEqual([flags, recursiveAttributes], [MS.relatime, false])
})

test('parseMountOptions refuses what it cannot do', () => {
  assert.throws(() => parse('idmap'), { code: 'NOT_IMPLEMENTED' })
  assert.throws(() => parse('tmpcopyup'), { code: 'NOT_IMPLEMENTED' })
  assert.throws(() => parse('bind', 'size=1'), {
    code: 'INVALID_ARGUMENT',
    message: 'invalid mount options for /target: size=1 on a bind mount',
  })
})
