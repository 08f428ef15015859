import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import type { ConfigFile } from './config-file.ts'
import { credentialKey, eraseCredentials, getCredentials, hostnameOf, storeCredentials, storedAuth } from './credentials.ts'

let directory: string
let warnings: string[]
// In one process with all the others: hooks outside a suite would run for every test there is.
describe('stored credentials', () => {
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'credentials-'))
    warnings = []
  })
  afterEach(() => rmSync(directory, { recursive: true }))

  function cliWith(config: ConfigFile): Parameters<typeof storeCredentials>[0] {
    writeFileSync(join(directory, 'config.json'), JSON.stringify(config))
    return { config, configDirectory: directory, env: { PATH: directory }, warn: (line) => warnings.push(line) }
  }

  const file = (): ConfigFile => JSON.parse(readFileSync(join(directory, 'config.json'), 'utf8')) as ConfigFile

  it('credentialKey and hostnameOf name registries as config.json does', () => {
    assert.equal(credentialKey('docker.io'), 'https://index.docker.io/v1/')
    assert.equal(credentialKey('registry:5000'), 'registry:5000')
    for (const text of ['registry:5000', 'http://registry:5000', 'https://registry:5000/v2/', 'registry:5000/a'])
      assert.equal(hostnameOf(text), 'registry:5000')
  })

  it('storeCredentials writes user and password once, with a warning, and tokens without', () => {
    const cli = cliWith({ psFormat: 'x' })
    storeCredentials(cli, 'registry', { username: 'me', password: 'pw' })
    assert.deepEqual(file(), { auths: { registry: { auth: 'bWU6cHc=' } }, psFormat: 'x' })
    assert.match(warnings.join(''), /stored unencrypted in '.*config\.json'/)
    storeCredentials(cliWith(file()), 'other', { username: 'me', identitytoken: 'token' })
    assert.deepEqual(file().auths?.['other'], { auth: 'bWU6', identitytoken: 'token' })
    storeCredentials(cliWith(file()), 'registry', { username: 'me', password: 'pw' })
    assert.equal(warnings.length, 1)
  })

  it('getCredentials finds what older clients filed under a URL', () => {
    const cli = cliWith({ auths: { 'https://registry/v1/': { auth: 'bWU6cDp3' } } })
    assert.deepEqual(getCredentials(cli, 'registry'), { username: 'me', password: 'p:w' })
    assert.deepEqual(getCredentials(cli, 'elsewhere'), {})
  })

  it('a helper of the registry goes before the one for all, and a failing one is told or passed over', () => {
    const cli = cliWith({ credsStore: 'all', credHelpers: { registry: 'one' } })
    writeFileSync(join(directory, 'docker-credential-one'), '#!/bin/sh\necho \'{"Username":"<token>","Secret":"abc"}\'\n')
    chmodSync(join(directory, 'docker-credential-one'), 0o755)
    assert.deepEqual(getCredentials(cli, 'registry'), { identitytoken: 'abc' })
    assert.throws(() => getCredentials(cli, 'other'), {
      message: 'error getting credentials - err: exec: "docker-credential-all": executable file not found in $PATH, out: ``',
    })
    assert.deepEqual(storedAuth(cli, 'other'), {})
  })

  it('eraseCredentials takes one entry away and leaves the rest', () => {
    eraseCredentials(cliWith({ auths: { a: { auth: 'eDp5' }, b: { auth: 'eDp5' } } }), 'a')
    assert.deepEqual(file(), { auths: { b: { auth: 'eDp5' } } })
    eraseCredentials(cliWith(file()), 'nosuch')
    assert.deepEqual(file(), { auths: { b: { auth: 'eDp5' } } })
  })
})
