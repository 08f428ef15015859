import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parsePullReference, parseRepoTag } from './repository.ts'

const DIGEST = `sha256:${'ab'.repeat(32)}` as const

test('parsePullReference lets the parameter go before the name', () => {
  const alpine = { domain: 'docker.io', path: 'library/alpine' }
  assert.deepEqual(parsePullReference('alpine', '3'), { ...alpine, tag: '3' })
  assert.deepEqual(parsePullReference('alpine:2', '3'), { ...alpine, tag: '3' })
  assert.deepEqual(parsePullReference('alpine:2', ''), { ...alpine, tag: '2' })
  assert.deepEqual(parsePullReference('alpine:2', DIGEST), { ...alpine, digest: DIGEST })
  assert.deepEqual(parsePullReference(`alpine@${DIGEST}`, ''), { ...alpine, digest: DIGEST })
})

test('parsePullReference without a tag means all of them', () => {
  assert.deepEqual(parsePullReference('registry:5000/app:', ''), { domain: 'registry:5000', path: 'app' })
})

test('parsePullReference refuses what is no name', () => {
  assert.throws(() => parsePullReference('Alpine', ''), { code: 'INVALID_ARGUMENT', message: /must be lowercase/ })
  assert.throws(() => parsePullReference('alpine', 'a b'), { code: 'INVALID_ARGUMENT', message: 'invalid tag format' })
  assert.throws(() => parsePullReference('scratch', ''), { code: 'FORBIDDEN', message: "'scratch' is a reserved name" })
})

test('parseRepoTag adds the default tag and refuses digests', () => {
  assert.equal(parseRepoTag('app', '').tag, 'latest')
  assert.equal(parseRepoTag('app:1', '2').tag, '2')
  assert.throws(() => parseRepoTag(`app@${DIGEST}`, ''), { message: 'cannot import digest reference' })
})
