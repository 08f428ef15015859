import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { loadConfigFile } from './config-file.ts'
import { checkContextName, listContexts, readContext, readContextTls, removeContext, tlsDirectory, writeContext } from './context-store.ts'
import { withProxyVariables } from './environment-proxies.ts'
import { currentContextName, resolveEndpoint, type EndpointChoice } from './resolve-endpoint.ts'
import { updateConfigFile } from './update-config-file.ts'

let directory: string
beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'config-'))))
afterEach(() => rmSync(directory, { recursive: true }))

const choice: EndpointChoice = {
  hosts: [],
  context: '',
  tls: false,
  tlsVerify: false,
  tlsCa: '',
  tlsCert: '',
  tlsKey: '',
  tlsPathsGiven: false,
}

describe('loadConfigFile', () => {
  it('reads nothing from nothing', () => {
    assert.deepEqual(loadConfigFile(directory), { config: {} })
  })

  it('warns about a file that cannot be read and goes on', () => {
    writeFileSync(join(directory, 'config.json'), '{')
    assert.match(loadConfigFile(directory).warning ?? '', /^WARNING: Error parsing config file/)
    writeFileSync(join(directory, 'config.json'), '[]')
    assert.match(loadConfigFile(directory).warning ?? '', /not a JSON object/)
  })
})

it('updateConfigFile keeps unknown keys and refuses to replace a broken file', () => {
  const path = join(directory, 'config.json')
  writeFileSync(path, '{"unknown":1}')
  updateConfigFile(directory, (config) => (config.currentContext = 'x'))
  assert.deepEqual(JSON.parse(readFileSync(path, 'utf8')), { unknown: 1, currentContext: 'x' })
  assert.equal(statSync(path).mode & 0o777, 0o600)
  writeFileSync(path, '{')
  assert.throws(() => updateConfigFile(directory, () => {}), /Error parsing config file/)
  assert.equal(readFileSync(path, 'utf8'), '{')
})

describe('contexts', () => {
  it('are written, listed, read and removed', () => {
    writeContext(
      directory,
      { Name: 'b', Metadata: { Description: 'd' }, Endpoints: { docker: { Host: 'tcp://b', SkipTLSVerify: false } } },
      { ca: 'pem' },
    )
    writeContext(directory, { Name: 'a', Metadata: {}, Endpoints: {} })
    assert.deepEqual(
      listContexts(directory).map(({ Name }) => Name),
      ['a', 'b'],
    )
    assert.deepEqual(readContextTls(directory, 'b'), { ca: 'pem' })
    assert.equal(statSync(join(tlsDirectory(directory, 'b'), 'docker', 'ca.pem')).mode & 0o777, 0o600)
    removeContext(directory, 'b')
    assert.throws(() => readContext(directory, 'b'), /context "b": context not found/)
  })

  it('have names that are safe', () => {
    for (const name of ['', 'default', '../x', 'a/b', '-a', 'a']) assert.throws(() => checkContextName(name), name)
    checkContextName('my-context_1.x+y')
  })
})

describe('currentContextName and resolveEndpoint', () => {
  it("prefer flag, DOCKER_HOST, --context, DOCKER_CONTEXT, configuration, in Docker's order", () => {
    const config = { currentContext: 'stored' }
    assert.equal(currentContextName({ ...choice, hosts: ['x'] }, { DOCKER_CONTEXT: 'env' }, config), 'default')
    assert.equal(currentContextName({ ...choice, context: 'flag' }, { DOCKER_HOST: 'x' }, config), 'flag')
    assert.equal(currentContextName(choice, { DOCKER_HOST: 'x', DOCKER_CONTEXT: 'env' }, config), 'default')
    assert.equal(currentContextName(choice, { DOCKER_CONTEXT: 'env' }, config), 'env')
    assert.equal(currentContextName(choice, {}, config), 'stored')
    assert.equal(currentContextName(choice, {}, {}), 'default')
  })

  it('complete short addresses', () => {
    const resolve = (host: string): string => resolveEndpoint(choice, 'default', directory, { DOCKER_HOST: host }).text
    assert.equal(resolve('host:1'), 'tcp://host:1')
    assert.equal(resolve(':1'), 'tcp://localhost:1')
    assert.throws(() => resolve('ftp://x'), /invalid bind address format/)
    assert.throws(() => resolveEndpoint({ ...choice, hosts: ['a', 'b'] }, 'default', directory, {}), /Specify only one -H/)
  })

  it('take address and certificates from a context', () => {
    writeContext(directory, { Name: 'c', Metadata: {}, Endpoints: { docker: { Host: 'tcp://c:1', SkipTLSVerify: true } } }, { ca: 'pem' })
    assert.partialDeepStrictEqual(resolveEndpoint(choice, 'c', directory, {}), { host: 'c', port: 1, tls: { ca: 'pem', verify: false } })
  })

  it('read certificates for --tlsverify, and complain when named ones are missing', () => {
    writeFileSync(join(directory, 'ca.pem'), 'pem')
    const tls = {
      ...choice,
      tlsVerify: true,
      tlsCa: join(directory, 'ca.pem'),
      tlsCert: join(directory, 'cert.pem'),
      tlsKey: join(directory, 'key.pem'),
    }
    assert.partialDeepStrictEqual(resolveEndpoint(tls, 'default', directory, { DOCKER_HOST: 'tcp://x' }), {
      port: 2376,
      tls: { ca: 'pem', verify: true },
    })
    assert.throws(
      () => resolveEndpoint({ ...tls, tlsPathsGiven: true }, 'default', directory, { DOCKER_HOST: 'tcp://x' }),
      /could not read TLS certificate/,
    )
  })
})

it('withProxyVariables adds both spellings and lets the user win', () => {
  const config = { proxies: { default: { httpProxy: 'http://p', noProxy: 'x' }, 'tcp://special': { httpProxy: 'http://s' } } }
  assert.deepEqual(withProxyVariables(config, 'unix:///x', ['A=1', 'http_proxy=mine']), [
    'A=1',
    'http_proxy=mine',
    'HTTP_PROXY=http://p',
    'NO_PROXY=x',
    'no_proxy=x',
  ])
  assert.deepEqual(withProxyVariables(config, 'tcp://special', []), ['HTTP_PROXY=http://s', 'http_proxy=http://s'])
  assert.deepEqual(withProxyVariables({}, 'x', ['A=1']), ['A=1'])
})
