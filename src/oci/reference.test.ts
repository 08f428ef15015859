import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { familiarString, fullString, parseAnyReference, parseReference, parseTag, withDefaultTag } from './reference.ts'

const HEX = 'a'.repeat(64)
const DIGEST = `sha256:${HEX}` as const

describe('parseReference', () => {
  /** As written → full, familiar. Cases of distribution/reference normalize_test.go, and what people type. */
  const VALID: [string, string, string][] = [
    ['alpine', 'docker.io/library/alpine', 'alpine'],
    ['alpine:3', 'docker.io/library/alpine:3', 'alpine:3'],
    ['library/alpine', 'docker.io/library/alpine', 'alpine'],
    ['docker.io/alpine', 'docker.io/library/alpine', 'alpine'],
    ['index.docker.io/library/alpine', 'docker.io/library/alpine', 'alpine'],
    ['docker/docker', 'docker.io/docker/docker', 'docker/docker'],
    ['library/foo/bar', 'docker.io/library/foo/bar', 'library/foo/bar'],
    ['localhost/x', 'localhost/x', 'localhost/x'],
    ['registry:5000/a/b:1', 'registry:5000/a/b:1', 'registry:5000/a/b:1'],
    ['127.0.0.1:8000/x', '127.0.0.1:8000/x', '127.0.0.1:8000/x'],
    ['[::1]:5000/x', '[::1]:5000/x', '[::1]:5000/x'],
    ['Upper/x', 'Upper/x', 'Upper/x'],
    ['a__b/c-d.e_f', 'docker.io/a__b/c-d.e_f', 'a__b/c-d.e_f'],
    [`alpine@${DIGEST}`, `docker.io/library/alpine@${DIGEST}`, `alpine@${DIGEST}`],
    [`quay.io/a:1@${DIGEST}`, `quay.io/a:1@${DIGEST}`, `quay.io/a:1@${DIGEST}`],
    ['x:5000', 'docker.io/library/x:5000', 'x:5000'],
  ]
  for (const [text, full, familiar] of VALID) {
    it(`takes ${text.replace(HEX, '<hex>')}`, () => {
      const reference = parseReference(text)
      assert.equal(fullString(reference), full)
      assert.equal(familiarString(reference), familiar)
    })
  }

  const INVALID: [string, string][] = [
    ['', 'invalid reference format'],
    ['Alpine', 'invalid reference format: repository name (library/Alpine) must be lowercase'],
    ['docker.io/Foo:tag', 'invalid reference format: repository name (library/Foo) must be lowercase'],
    [HEX, `invalid repository name (${HEX}), cannot specify 64-byte hexadecimal strings`],
    ['a//b', 'invalid reference format'],
    ['-x', 'invalid reference format'],
    ['x:', 'invalid reference format'],
    ['x:-tag', 'invalid reference format'],
    [`x:${'t'.repeat(129)}`, 'invalid reference format'],
    ['a___b', 'invalid reference format'],
    ['x@sha256:1234', 'invalid reference format'],
    [`x@sha256:${'a'.repeat(40)}`, 'invalid checksum digest length'],
    [`x@md5:${'a'.repeat(32)}`, 'unsupported digest algorithm'],
    [`a/${'b/'.repeat(150)}c`, 'repository name must not be more than 255 characters'],
    ['https://example.com/x', 'invalid reference format'],
    ['x\n', 'invalid reference format'],
    ['x'.repeat(100_000), 'invalid reference format'],
  ]
  for (const [text, message] of INVALID) {
    it(`refuses ${JSON.stringify(text).slice(0, 40)}`, () => {
      assert.throws(() => parseReference(text), { code: 'INVALID_ARGUMENT', message })
    })
  }
})

describe('parseAnyReference', () => {
  it('takes 64 hex digits and digests as ids', () => {
    assert.deepEqual(parseAnyReference(HEX), { id: DIGEST })
    assert.deepEqual(parseAnyReference(DIGEST), { id: DIGEST })
  })

  it('takes anything else as a name', () => {
    assert.deepEqual(parseAnyReference('a:1'), { name: { domain: 'docker.io', path: 'library/a', tag: '1' } })
  })
})

describe('withDefaultTag', () => {
  it('adds latest only to a bare name', () => {
    assert.equal(withDefaultTag(parseReference('x')).tag, 'latest')
    assert.equal(withDefaultTag(parseReference('x:1')).tag, '1')
    assert.equal(withDefaultTag(parseReference(`x@${DIGEST}`)).tag, undefined)
  })
})

describe('parseTag', () => {
  it('refuses what is no tag', () => {
    assert.equal(parseTag('v1.0_x-2'), 'v1.0_x-2')
    for (const text of ['', '.x', 'a b', 'x'.repeat(129)]) assert.throws(() => parseTag(text), { message: 'invalid tag format' })
  })
})
