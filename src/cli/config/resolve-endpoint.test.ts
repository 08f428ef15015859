import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { writeContext } from './context-store.ts'
import { currentContextName, resolveEndpoint, type EndpointChoice } from './resolve-endpoint.ts'

let directory: string
// In one process with all the others: hooks outside a suite would run for every test there is.
describe('endpoints', () => {
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
})
