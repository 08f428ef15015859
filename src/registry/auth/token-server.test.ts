import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { createAccessList } from './access-list.ts'
import { createTokenIssuer, generateTokenKey, readTokenKey, type TokenIssuer } from './token-issuer.ts'
import { createTokenServer } from './token-server.ts'
import { createTokenVerifier, type TokenVerifier } from './token-verifier.ts'
import { TooManyAttemptsError, type UserDirectory } from './types.ts'

const MINUTE = 60_000

/** Users whose passwords can change. */
class Users implements UserDirectory {
  readonly passwords: Map<string, string> = new Map([['alice', 'secret']])

  async verify(name: string, password: string): Promise<boolean> {
    if (name === 'busy') throw new TooManyAttemptsError(7)
    return Promise.resolve(this.passwords.get(name) === password)
  }

  async fingerprint(name: string): Promise<string | undefined> {
    return Promise.resolve(this.passwords.get(name))
  }
}

interface Answer {
  status: number
  headers: Headers
  body: {
    token?: string
    access_token?: string
    refresh_token?: string
    expires_in?: number
    scope?: string
    errors?: { code: string; message: string }[]
  }
}

describe('TokenServer', () => {
  const users = new Users()
  const server = createServer((request, response) => void page(request, response))
  let page: ReturnType<typeof createTokenServer>
  let issuer: TokenIssuer
  let verifier: TokenVerifier
  let url: string
  before(async () => {
    const rights = createAccessList(
      [
        { subject: { kind: 'user', name: 'alice' }, repository: 'team/*', actions: ['pull', 'push'] },
        { subject: { kind: 'anonymous' }, repository: 'public/*', actions: ['pull'] },
        { subject: { kind: 'user', name: 'alice' }, repository: '**-a**-a**-a**-b', actions: ['pull'] },
      ],
      new Map(),
    )
    issuer = await createTokenIssuer({
      issuer: 'us',
      key: readTokenKey(generateTokenKey()),
      expiration: 5 * MINUTE,
      refreshExpiration: 60 * MINUTE,
    })
    verifier = createTokenVerifier({ issuer: 'us', service: 'hub', keys: issuer.keys })
    page = createTokenServer({ service: 'hub', users, rights, issuer })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/auth/token`
  })
  after(async () => {
    server.closeAllConnections()
    await server[Symbol.asyncDispose]()
  })

  async function ask(query: string, init: RequestInit = {}): Promise<Answer> {
    const response = await fetch(`${url}?${query}`, init)
    return { status: response.status, headers: response.headers, body: (await response.json()) as Answer['body'] }
  }

  const basic = (name: string, password: string): RequestInit => ({
    headers: { Authorization: `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}` },
  })
  const form = (fields: Record<string, string>): RequestInit => ({ method: 'POST', body: new URLSearchParams(fields) })

  async function given({ status, body }: Answer): Promise<unknown> {
    assert.equal(status, 200, JSON.stringify(body))
    assert.equal(body.token, body.access_token)
    return (await verifier.verify(body.token ?? ''))?.access
  }

  it('gives what was asked for as far as the user may have it', async () => {
    const scope = 'scope=repository:team/app:pull,push,delete&scope=repository:other/app:pull%20repository:public/app:pull,push'
    assert.deepEqual(await given(await ask(`service=hub&${scope}`, basic('alice', 'secret'))), [
      { type: 'repository', name: 'team/app', actions: ['pull', 'push'] },
      { type: 'repository', name: 'public/app', actions: ['pull'] },
    ])
    assert.deepEqual(await given(await ask(`service=hub&${scope}`)), [{ type: 'repository', name: 'public/app', actions: ['pull'] }])
    assert.deepEqual(await given(await ask('service=hub', basic('alice', 'secret'))), [])
  })

  it('gives nothing for what is no name of a repository, without looking long', async () => {
    const names = ['team/..', 'team/../other', 'team/a/', '/team/a', 'TEAM/a', 'team/a%00', `team/${'a'.repeat(300)}`]
    const scopes = names.map((name) => `scope=repository:${name}:pull`).join('&')
    assert.deepEqual(await given(await ask(`service=hub&${scopes}`, basic('alice', 'secret'))), [])
    // A glob with several stars takes longer than anybody waits to find out that it does not match this.
    const begun = performance.now()
    const wanted = form({
      grant_type: 'password',
      username: 'alice',
      password: 'secret',
      service: 'hub',
      scope: `repository:${'-a'.repeat(30_000)}!:pull`,
    })
    assert.deepEqual(await given(await ask('', wanted)), [])
    assert.ok(performance.now() - begun < 20_000)
  })

  it('refuses a form that is too long with 413', async () => {
    const { status, body } = await ask('', form({ grant_type: 'password', username: 'x'.repeat(70_000) }))
    assert.deepEqual([status, body.errors?.[0]?.code], [413, 'SIZE_INVALID'])
  })

  it('leaves out what it does not understand, and more scopes than anybody needs', async () => {
    const odd = ['nonsense', 'registry:catalog:*', 'plugin:a/b:pull', 'repository:public/a:', 'repository:public/a:fly'].map(
      (text) => `scope=${text}`,
    )
    assert.deepEqual(await given(await ask(`service=hub&${odd.join('&')}`)), [])
    const many = Array.from({ length: 300 }, (_, number) => `scope=repository:public/a${number}:pull`).join('&')
    assert.equal(((await given(await ask(`service=hub&${many}`))) as unknown[]).length, 100)
  })

  it('says how long a token is good, and that nobody may store it', async () => {
    const { body, headers } = await ask('service=hub&scope=repository:public/a:pull')
    assert.deepEqual([body.expires_in, body.scope, headers.get('cache-control')], [300, 'repository:public/a:pull', 'no-store'])
    assert.equal(body.refresh_token, undefined)
  })

  it('gives refresh tokens to users who ask for them, which work until the password changes', async () => {
    assert.equal((await ask('service=hub&offline_token=true')).body.refresh_token, undefined)
    const { refresh_token: token = '' } = (await ask('service=hub&offline_token=true', basic('alice', 'secret'))).body
    const refresh = form({ grant_type: 'refresh_token', service: 'hub', refresh_token: token, scope: 'repository:team/a:push' })
    assert.deepEqual(await given(await ask('', refresh)), [{ type: 'repository', name: 'team/a', actions: ['push'] }])
    users.passwords.set('alice', 'changed')
    assert.equal((await ask('', refresh)).status, 401)
    users.passwords.set('alice', 'secret')
    assert.equal((await ask('', refresh)).status, 200)
  })

  it('takes neither kind of token for the other', async () => {
    const { token = '', refresh_token: refresh = '' } = (await ask('service=hub&offline_token=true', basic('alice', 'secret'))).body
    assert.equal(await verifier.verify(refresh), undefined)
    assert.equal((await ask('', form({ grant_type: 'refresh_token', service: 'hub', refresh_token: token }))).status, 401)
    const other = await createTokenIssuer({
      issuer: 'us',
      key: readTokenKey(generateTokenKey()),
      expiration: MINUTE,
      refreshExpiration: MINUTE,
    })
    const forged = await other.issueRefresh('alice', 'hub', 'secret')
    assert.equal((await ask('', form({ grant_type: 'refresh_token', service: 'hub', refresh_token: forged }))).status, 401)
  })

  it('takes passwords in a form', async () => {
    const fields = { grant_type: 'password', service: 'hub', username: 'alice', access_type: 'offline', scope: 'repository:team/a:pull' }
    const answer = await ask('', form({ ...fields, password: 'secret' }))
    assert.deepEqual(await given(answer), [{ type: 'repository', name: 'team/a', actions: ['pull'] }])
    assert.ok(answer.body.refresh_token)
    assert.equal((await ask('', form({ ...fields, password: 'wrong' }))).status, 401)
  })

  const REFUSED: [string, string, RequestInit, number, string][] = [
    ['a wrong password', 'service=hub', basic('alice', 'wrong'), 401, 'UNAUTHORIZED'],
    ['an unknown user', 'service=hub', basic('bob', 'secret'), 401, 'UNAUTHORIZED'],
    ['credentials of another kind', 'service=hub', { headers: { Authorization: 'Bearer x' } }, 401, 'UNAUTHORIZED'],
    ['another service', 'service=other', {}, 400, 'UNSUPPORTED'],
    ['another grant', '', form({ grant_type: 'client_credentials', service: 'hub' }), 400, 'UNSUPPORTED'],
    ['another method', 'service=hub', { method: 'PUT' }, 405, 'UNSUPPORTED'],
    ['more logins than it can check', 'service=hub', basic('busy', 'x'), 429, 'TOOMANYREQUESTS'],
  ]
  for (const [what, query, init, status, code] of REFUSED) {
    it(`refuses ${what}`, async () => {
      const answer = await ask(query, init)
      assert.deepEqual([answer.status, answer.body.errors?.[0]?.code, answer.body.token], [status, code, undefined])
      if (status === 429) assert.equal(answer.headers.get('retry-after'), '7')
    })
  }
})

describe('readTokenKey', () => {
  it('refuses keys that cannot sign', () => {
    assert.throws(() => readTokenKey('-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----'))
  })
})
