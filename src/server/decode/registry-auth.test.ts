import assert from 'node:assert/strict'
import { test } from 'node:test'
import { registryCredentials, registryHeaders } from './registry-auth.ts'

const read = (value: unknown, encoding: 'base64' | 'base64url' = 'base64url') =>
  registryCredentials({ 'x-registry-auth': Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString(encoding) })

test('registryCredentials reads both alphabets of base64', () => {
  // Encodes to characters in which the alphabets differ.
  const login = { username: 'me', password: '??>>~~' }
  assert.deepEqual(read({ ...login, serveraddress: 'registry:5000' }), login)
  assert.deepEqual(read(login, 'base64'), login)
})

test('registryCredentials reads tokens, and the form of config.json', () => {
  assert.deepEqual(read({ identitytoken: 'abc' }), { identityToken: 'abc' })
  assert.deepEqual(read({ registrytoken: 'abc' }), { registryToken: 'abc' })
  assert.deepEqual(read({ auth: Buffer.from('me:se:cret').toString('base64') }), { username: 'me', password: 'se:cret' })
})

test('registryCredentials takes what it cannot read for no credentials', () => {
  for (const value of ['', 'nonsense', '{', 'null', '[]', '{}', '{"username":7}', '{"username":""}'])
    assert.equal(read(value), undefined, value)
  assert.equal(registryCredentials({}), undefined)
  assert.equal(registryCredentials({ 'x-registry-auth': 'x'.repeat(100_000) }), undefined)
})

test('registryHeaders passes on X-Meta headers only', () => {
  assert.deepEqual(registryHeaders({ 'x-meta-team': 'a', 'x-registry-auth': 'b', cookie: 'c' }), { 'x-meta-team': 'a' })
})
