import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { hashSync } from 'bcryptjs'
import { createHtpasswdUsers } from './htpasswd.ts'
import { openHtpasswdFile, parseHtpasswd } from './htpasswd-file.ts'
import { TooManyAttemptsError } from './types.ts'

const hashOf = (password: string): string => hashSync(password, 4)

describe('parseHtpasswd', () => {
  it('takes every prefix of bcrypt, comments and empty lines', () => {
    const hash = hashOf('x').slice(4)
    const entries = parseHtpasswd(`# users\n\na:$2a$${hash}\r\nb:$2y$${hash}\nc d:$2b$${hash}\n`, 'f')
    assert.deepEqual([...entries.keys()], ['a', 'b', 'c d'])
  })

  it('refuses what is no bcrypt, and costs that would stop the server, naming the line', () => {
    const REFUSED = [
      'a:plain',
      'a:$apr1$x$y',
      'a:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=',
      ':' + hashOf('x'),
      'a',
      `a:${hashOf('x').replace('$04$', '$31$')}`,
    ]
    for (const line of REFUSED) assert.throws(() => parseHtpasswd(`# 1\n${line}`, 'file'), /^Error: file: line 2: /, line)
  })
})

describe('HtpasswdUsers', () => {
  const entries = new Map([['alice', hashOf('secret')]])

  it('verify takes the right password of a known user only', async () => {
    const users = createHtpasswdUsers({ file: { entries: async () => entries } })
    assert.equal(await users.verify('alice', 'secret'), true)
    for (const [name, password] of [
      ['alice', 'Secret'],
      ['alice', ''],
      ['bob', 'secret'],
      ['', ''],
    ] as const) {
      assert.equal(await users.verify(name, password), false, `${name}:${password}`)
    }
  })

  it('verify computes each answer once while it is remembered, also for unknown users', async () => {
    let now = 0
    const compared: string[] = []
    const compare = async (password: string, hash: string): Promise<boolean> => {
      compared.push(hash.slice(0, 7))
      return Promise.resolve(password === 'secret')
    }
    const users = createHtpasswdUsers({ file: { entries: async () => entries }, compare, now: () => now })
    for (let time = 0; time < 3; time++) assert.equal(await users.verify('alice', 'secret'), true)
    for (let time = 0; time < 3; time++) assert.equal(await users.verify('nobody', 'secret'), false)
    // The decoy costs what a real one costs.
    assert.deepEqual(compared, ['$2b$04$', '$2b$04$'])
    now = 11_000
    await users.verify('alice', 'secret')
    assert.equal(compared.length, 2)
    await users.verify('nobody', 'secret')
    assert.equal(compared.length, 3)
    now = 6 * 60_000
    await users.verify('alice', 'secret')
    assert.equal(compared.length, 4)
  })

  it('verify remembers who is right however many are wrong', async () => {
    const compared: string[] = []
    const compare = async (password: string): Promise<boolean> => {
      compared.push(password)
      return Promise.resolve(password === 'secret')
    }
    const users = createHtpasswdUsers({ file: { entries: async () => entries }, compare })
    assert.equal(await users.verify('alice', 'secret'), true)
    for (let guess = 0; guess < 1500; guess++) await users.verify('alice', `guess ${guess}`)
    assert.equal(await users.verify('alice', 'secret'), true)
    assert.equal(compared.filter((password) => password === 'secret').length, 1)
  })

  it('verify tells two that share their joined text apart', async () => {
    const users = createHtpasswdUsers({
      file: { entries: async () => entries },
      compare: (password) => Promise.resolve(password === 'secret'),
    })
    assert.equal(await users.verify('alice', 'secret'), true)
    assert.equal(await users.verify('alic', 'esecret'), false)
  })

  it('a changed password counts at once, and changes the fingerprint', async () => {
    let current = entries
    const users = createHtpasswdUsers({ file: { entries: async () => current } })
    assert.equal(await users.verify('alice', 'secret'), true)
    const before = await users.fingerprint('alice')
    current = new Map([['alice', hashOf('new')]])
    assert.equal(await users.verify('alice', 'secret'), false)
    assert.equal(await users.verify('alice', 'new'), true)
    assert.notEqual(await users.fingerprint('alice'), before)
    assert.equal(await users.fingerprint('bob'), undefined)
  })

  it('verify refuses to let more wait than it can serve', async () => {
    const gate = Promise.withResolvers<boolean>()
    const users = createHtpasswdUsers({ file: { entries: async () => entries }, compare: () => gate.promise })
    const attempts = Array.from({ length: 60 }, (_, number) => users.verify('alice', `guess ${number}`))
    const results = Promise.allSettled(attempts)
    gate.resolve(false)
    const refused = (await results).filter((result) => result.status === 'rejected')
    assert.equal(refused.length, 9)
    assert.ok(refused.every(({ reason }) => reason instanceof TooManyAttemptsError))
  })
})

describe('openHtpasswdFile', () => {
  it('reads the file again when it changed, and keeps the old users when that fails', async () => {
    await using owned = new AsyncDisposableStack()
    const directory = await mkdtemp(join(tmpdir(), 'gantry-htpasswd-'))
    owned.defer(() => rm(directory, { recursive: true }))
    const path = join(directory, 'users')
    await assert.rejects(
      openHtpasswdFile(path, () => {}),
      { code: 'ENOENT' },
    )
    await writeFile(path, `alice:${hashOf('a')}\n`)
    const failures: string[] = []
    const file = await openHtpasswdFile(path, (error) => failures.push(error.message))
    assert.deepEqual([...(await file.entries()).keys()], ['alice'])
    await writeFile(path, `alice:${hashOf('a')}\nbob:${hashOf('b')}\n`)
    assert.deepEqual([...(await file.entries()).keys()], ['alice', 'bob'])
    await writeFile(path, 'broken')
    for (let time = 0; time < 3; time++) assert.deepEqual([...(await file.entries()).keys()], ['alice', 'bob'])
    assert.equal(failures.length, 1)
  })
})
