import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AttributeReader } from '../../../attributes.ts'
import { jobToken } from '../testing/job-token.ts'
import { readGhaOptions, type GhaOptions } from './gha-options.ts'
import { scopesOfToken } from './runtime-token.ts'

function read(attributes: Record<string, string>): GhaOptions {
  const reader = new AttributeReader('gha cache', attributes)
  const options = readGhaOptions(reader)
  reader.end()
  return options
}

test('readGhaOptions chooses the version of the protocol as BuildKit does', () => {
  const both = { token: 't', url: 'http://one', url_v2: 'http://two' }
  const CASES: [Record<string, string>, string, number][] = [
    [both, 'http://two', 2],
    [{ ...both, version: '1' }, 'http://one', 1],
    [{ token: 't', url: 'http://one' }, 'http://one', 1],
    [{ token: 't', url: 'http://one', version: '2' }, 'http://one', 2],
    [
      { token: 't', url: 'https://results-receiver.actions.githubusercontent.com/' },
      'https://results-receiver.actions.githubusercontent.com/',
      2,
    ],
  ]
  for (const [attributes, url, version] of CASES) {
    const found = read(attributes)
    assert.deepEqual([found.url, found.version], [url, version])
  }
})

test('readGhaOptions says what is missing or malformed', () => {
  assert.throws(() => read({ url: 'http://a' }), /token not set for github actions cache/)
  assert.throws(() => read({ token: 't' }), /url not set for github actions cache/)
  assert.throws(() => read({ token: 't', url: 'http://a', version: 'x' }), /failed to parse api version "x", expected positive integer/)
  assert.throws(
    () => read({ token: 't', url: 'http://a', timeout: '5' }),
    /failed to parse timeout for github actions cache: time: missing unit/,
  )
  assert.throws(() => read({ token: 't', url: 'http://a', tokn: '5' }), /unknown attribute "tokn"/)
})

test('scopesOfToken reads scopes, and the time that a token is good for', () => {
  const now = Date.now()
  assert.deepEqual(scopesOfToken(jobToken(['refs/pull/1/merge', 'refs/heads/main']), now), [
    { scope: 'refs/pull/1/merge', isWritable: true },
    { scope: 'refs/heads/main', isWritable: false },
  ])
  assert.throws(() => scopesOfToken(jobToken(['a'], { exp: 1 }), now), /cache token expired at 1970/)
  assert.throws(() => scopesOfToken(jobToken(['a'], { nbf: 9e9 }), now), /invalid token with future issue time/)
  assert.throws(() => scopesOfToken(jobToken(['a'], { ac: 3 }), now), /access controls type number/)
})
