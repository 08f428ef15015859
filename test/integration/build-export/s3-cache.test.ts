/** Caches in S3, against a server that checks signatures. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { buffer } from 'node:stream/consumers'
import { describe, it } from 'node:test'
import { digestOf } from '#oci'
import { AttributeReader } from '../../../src/build/export/attributes.ts'
import { readS3Options } from '../../../src/build/export/cache/services/s3/s3-options.ts'
import { s3Service } from '../../../src/build/export/cache/services/s3/s3-service.ts'
import { blobOf, keepsBlobs, pieces } from '../../../src/build/export/cache/services/testing/keeps-blobs.ts'
import type { CacheService } from '../../../src/build/export/cache/services/types.ts'
import { S3Server } from '../../harness/s3-server.ts'

const { signal } = new AbortController()

async function open(server: S3Server, more: Readonly<Record<string, string>> = {}): Promise<CacheService> {
  const attributes = {
    bucket: server.bucket,
    region: server.account.region,
    endpoint_url: server.endpoint,
    use_path_style: 'true',
    access_key_id: server.account.accessKeyId,
    secret_access_key: server.account.secretAccessKey,
    ...more,
  }
  return await s3Service(readS3Options(new AttributeReader('s3 cache', attributes)), { proxies: {} })
}

describe('s3Service', () => {
  it('keeps layers, in parts where they are large, and gives them from any byte on', async () => {
    await using server = await S3Server.start()
    const service = await open(server)
    await keepsBlobs(service)
    assert.equal(server.operations.filter((name) => name === 'UploadPart').length, 3)
  })

  it('has BuildKit’s keys, writes a config under each name, and reads that of the first', async () => {
    await using server = await S3Server.start()
    const service = await open(server, { prefix: 'team-', name: 'main;commit' })
    assert.deepEqual(await service.readConfigs(signal), [])
    const layer = Buffer.from('layer')
    await service.writeBlob(blobOf(layer), pieces(layer), signal)
    await service.writeConfig(Buffer.from('{}'), signal)
    assert.deepEqual([...server.objects.keys()], [`team-blobs/${digestOf(layer)}`, 'team-manifests/main', 'team-manifests/commit'])
    assert.deepEqual((await service.readConfigs(signal)).map(String), ['{}'])
    assert.deepEqual(await (await open(server, { prefix: 'team-', name: 'other;main' })).readConfigs(signal), [])
  })

  it('makes objects young again that are in use, once they have an age', async () => {
    await using server = await S3Server.start()
    const service = await open(server)
    const layer = Buffer.from('layer')
    await service.writeBlob(blobOf(layer), pieces(layer), signal)
    assert.equal(await service.hasBlob(blobOf(layer), signal), true)
    assert.ok(!server.operations.includes('CopyObject'))
    const object = server.objects.get(`blobs/${digestOf(layer)}`)
    assert.ok(object !== undefined)
    object.modified = new Date(Date.now() - 25 * 3600e3)
    assert.equal(await service.hasBlob(blobOf(layer), signal), true)
    assert.equal(server.operations.at(-1), 'CopyObject')
    assert.ok(Date.now() - (server.objects.get(`blobs/${digestOf(layer)}`)?.modified.getTime() ?? 0) < 3600e3)
  })

  it('gives an upload up that fails on the way', async () => {
    await using server = await S3Server.start()
    const service = await open(server)
    const content = randomBytes(9 << 20)
    server.fault = (operation) => (operation === 'CompleteMultipartUpload' ? 403 : undefined)
    await assert.rejects(service.writeBlob(blobOf(content), pieces(content), signal), /s3 cache: 403/)
    assert.equal(server.unfinished, 0)
  })

  it('leaves nothing of an upload that is cancelled on the way', async () => {
    await using server = await S3Server.start()
    const service = await open(server)
    const content = randomBytes(17 << 20)
    const cancel = new AbortController()
    async function* cancelledHalfWay(): AsyncGenerator<Buffer> {
      yield content.subarray(0, 9 << 20)
      assert.equal(server.unfinished, 1)
      cancel.abort(new Error('cancelled'))
      yield content.subarray(9 << 20)
    }
    await assert.rejects(service.writeBlob(blobOf(content), cancelledHalfWay(), cancel.signal))
    assert.equal(server.unfinished, 0)
  })

  it('tells a bucket that is missing, and a login that is wrong, from a cache that is new', async () => {
    await using server = await S3Server.start()
    await assert.rejects((await open(server, { bucket: 'nowhere' })).readConfigs(signal), /s3 cache: 404 NoSuchBucket/)
    await assert.rejects((await open(server, { secret_access_key: 'wrong' })).readConfigs(signal), /s3 cache: 403 SignatureDoesNotMatch/)
    await assert.rejects(buffer((await open(server)).readBlob(blobOf(Buffer.from('a')), 0, signal)), /blob sha256:\w+ not found/)
  })
})
