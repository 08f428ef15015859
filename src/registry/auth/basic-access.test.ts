import assert from 'node:assert/strict'
import type { IncomingMessage } from 'node:http'
import { it } from 'node:test'
import type { Access } from '../types.ts'
import { createAccessList } from './access-list.ts'
import { createBasicAccess } from './basic-access.ts'
import { basicCredentials } from './basic-credentials.ts'
import { quoted } from './quoted.ts'
import { TooManyAttemptsError } from './types.ts'

const request = (authorization?: string): IncomingMessage =>
  ({ headers: { ...(authorization !== undefined && { authorization }) } }) as unknown as IncomingMessage
const basic = (text: string): IncomingMessage => request(`Basic ${Buffer.from(text).toString('base64')}`)

it('BasicAccess.authorise challenges, allows and denies', async () => {
  const controller = createBasicAccess({
    realm: 'a "realm"',
    users: {
      verify: async (name, password) => {
        if (name === 'busy') throw new TooManyAttemptsError(3)
        return Promise.resolve(password === 'p:w')
      },
      fingerprint: async () => Promise.resolve(undefined),
    },
    rights: createAccessList(
      [
        { subject: { kind: 'anonymous' }, repository: 'public', actions: ['pull'] },
        { subject: { kind: 'user', name: 'alice' }, repository: 'a', actions: ['pull'] },
      ],
      new Map(),
    ),
  })
  const on = (name: string, action: 'pull' | 'push' = 'pull'): Access => ({ type: 'repository', name, action })
  const challenge = { kind: 'challenge', headers: { 'WWW-Authenticate': 'Basic realm="a \\"realm\\""' } }
  const CASES: [IncomingMessage, Access[], unknown][] = [
    [request(), [], challenge],
    [request(), [on('public')], { kind: 'allowed' }],
    [request(), [on('a')], challenge],
    [request(), [on('public'), on('a')], challenge],
    [basic('alice:p:w'), [], { kind: 'allowed', actor: 'alice' }],
    [basic('alice:p:w'), [on('a'), on('public')], { kind: 'allowed', actor: 'alice' }],
    [basic('alice:p:w'), [on('a', 'push')], { kind: 'denied' }],
    [basic('alice:wrong'), [on('public')], challenge],
    [basic('busy:x'), [on('public')], { kind: 'throttled', retryAfter: 3 }],
    [request('Bearer x'), [on('public')], challenge],
    [request('Basic %%%'), [on('public')], challenge],
  ]
  for (const [index, [client, access, expected]] of CASES.entries())
    assert.deepEqual(await controller.authorise(client, access), expected, `case ${index}`)
})

it('basicCredentials takes colons in passwords, UTF-8, and nothing malformed', () => {
  assert.deepEqual(basicCredentials(basic('ü:a:b€')), { name: 'ü', password: 'a:b€' })
  assert.deepEqual(basicCredentials(basic(':')), { name: '', password: '' })
  for (const bad of ['Basic', 'Basic ', 'basic a b', 'Digest x', `Basic ${Buffer.from('no colon').toString('base64')}`]) {
    assert.equal(basicCredentials(request(bad)), undefined, bad)
  }
})

it('quoted lets nothing end the string or the header', () => {
  assert.equal(quoted('a"b\\c\r\nSet-Cookie: ü'), '"a\\"b\\\\c??Set-Cookie: ?"')
})
