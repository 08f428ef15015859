import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { buffer } from 'node:stream/consumers'
import type { CacheService } from '../types.ts'
import { ActionsServer } from '../testing/actions-server.ts'
import { blobOf, keepsBlobs, pieces } from '../testing/keeps-blobs.ts'
import type { GhaOptions } from './gha-options.ts'
import { ghaService } from './gha-service.ts'

const { signal } = new AbortController()

function open(server: ActionsServer, members: Partial<GhaOptions> = {}): CacheService {
  const options: GhaOptions = { scope: 'buildkit', url: server.url, version: 2, token: server.token(), timeout: 60_000, ...members }
  return ghaService(options, { proxies: {}, pause: 1, delay: 1, api: server.url.replace(/\/$/, '') })
}

for (const version of [1, 2] as const) {
  describe(`ghaService, version ${version} of the protocol,`, () => {
    it('keeps layers, in pieces where they are large, and gives them from any byte on', async () => {
      await using server = await ActionsServer.start()
      const service = open(server, { version })
      await keepsBlobs(service)
      assert.ok(server.keys().every((key) => /^buildkit-blob-1-sha256:[0-9a-f]{64}$/.test(key)))
    })

    it('writes a config beside the last one, and reads the newest', async () => {
      await using server = await ActionsServer.start()
      const service = open(server, { version })
      assert.deepEqual(await service.readConfigs(signal), [])
      await service.writeConfig(Buffer.from('{"first":1}'), signal)
      await service.writeConfig(Buffer.from('{"second":2}'), signal)
      // BuildKit's key: eight digits of the hash of the branch, then a number.
      assert.deepEqual(server.keys(), ['index-buildkit-1-f921bd05#1', 'index-buildkit-1-f921bd05#2'])
      assert.deepEqual((await service.readConfigs(signal)).map(String), ['{"second":2}'])
    })

    it('leaves a layer alone that another job writes at the same time', async () => {
      await using server = await ActionsServer.start()
      const content = Buffer.from('layer')
      const [one, other] = [open(server, { version }), open(server, { version })]
      await one.writeBlob(blobOf(content), pieces(content), signal)
      await other.writeBlob(blobOf(content), pieces(content), signal)
      assert.equal(server.keys().length, 1)
    })
  })
}

describe('ghaService', () => {
  it('reads the config of the branch that a branch comes from, and writes its own', async () => {
    await using server = await ActionsServer.start()
    await open(server).writeConfig(Buffer.from('main'), signal)
    const branch = open(server, { token: server.token(['refs/heads/topic', 'refs/heads/main']) })
    assert.deepEqual((await branch.readConfigs(signal)).map(String), ['main'])
    await branch.writeConfig(Buffer.from('topic'), signal)
    assert.deepEqual((await branch.readConfigs(signal)).map(String), ['topic', 'main'])
    assert.deepEqual((await open(server).readConfigs(signal)).map(String), ['main'])
  })

  it('skips the number of a config whose writer has died', async () => {
    await using server = await ActionsServer.start()
    server.fault = (call) => (call.startsWith('PUT') ? 403 : undefined)
    const service = open(server)
    await assert.rejects(service.writeConfig(Buffer.from('lost'), signal), /the blob service answers 403/)
    server.fault = () => undefined
    await service.writeConfig(Buffer.from('kept'), signal)
    assert.deepEqual(server.keys(), ['index-buildkit-1-f921bd05#2'])
  })

  it('asks again when it has asked too often, and when the service is broken for a moment', async () => {
    await using server = await ActionsServer.start()
    const faults = [429, 429, 429, 429, 502]
    server.fault = () => faults.shift()
    assert.equal(await open(server).hasBlob(blobOf(Buffer.from('a')), signal), false)
    assert.equal(server.calls.length, 6)
  })

  it('gives up when its time is over, or the service stays broken', async () => {
    await using server = await ActionsServer.start()
    server.fault = () => 429
    await assert.rejects(open(server, { timeout: 0 }).readConfigs(signal), { message: 'out of order' })
    server.fault = () => 500
    await assert.rejects(open(server).readConfigs(signal), { message: 'out of order' })
  })

  it('knows by GitHub’s own list which layers are there', async () => {
    await using server = await ActionsServer.start()
    const [there, missing] = [Buffer.from('there'), Buffer.from('missing')]
    await open(server).writeBlob(blobOf(there), pieces(there), signal)
    server.calls.length = 0
    const service = open(server, { rest: { repository: 'o/r', token: 'ghs_x' } })
    assert.equal(await service.hasBlob(blobOf(there), signal), true)
    assert.equal(await service.hasBlob(blobOf(missing), signal), false)
    assert.deepEqual(server.calls, ['GET caches'])
  })

  it('says that a layer is gone', async () => {
    await using server = await ActionsServer.start()
    await assert.rejects(buffer(open(server).readBlob(blobOf(Buffer.from('a')), 0, signal)), /^EngineError: blob sha256:\w+ not found/)
  })

  it('refuses what is no token of a job, or none any more', async () => {
    await using server = await ActionsServer.start()
    for (const [token, text] of [
      ['abc', /token is malformed/],
      ['e30.e30.', /invalid token without access controls/],
    ] as const) {
      assert.throws(() => open(server, { token }), text)
    }
  })
})
