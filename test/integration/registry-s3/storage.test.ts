import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { describe, it } from 'node:test'
import { digestOf } from '#oci'
import { openS3Storage, type RegistryStorage, type S3Config } from '#registry'
import { registryStorageContract } from '../../contract/registry-storage.ts'
import { S3Server } from '../../harness/s3-server.ts'

const MIB = 1 << 20

function configOf(server: S3Server, more: Partial<S3Config> = {}): S3Config {
  return {
    bucket: server.bucket,
    region: server.account.region,
    endpoint: server.endpoint,
    pathStyle: true,
    credentials: { ...server.account, sessionToken: undefined },
    prefix: 'some/prefix',
    encryption: undefined,
    storageClass: undefined,
    skipVerify: false,
    chunkSize: 5 * MIB,
    copy: { partSize: 5 * MIB, concurrency: 4, threshold: 8 * MIB },
    ...more,
  }
}

registryStorageContract('S3', async () => {
  const server = await S3Server.start()
  let storage = await openS3Storage(configOf(server))
  return {
    storage,
    async reopen(): Promise<RegistryStorage> {
      await storage[Symbol.asyncDispose]()
      storage = await openS3Storage(configOf(server))
      return storage
    },
    async [Symbol.asyncDispose]() {
      await storage[Symbol.asyncDispose]()
      assert.equal(server.unfinished, 0, 'multipart uploads were left behind')
      await server[Symbol.asyncDispose]()
    },
  }
})

describe('openS3Storage', () => {
  it('commit joins parts within the service and uploads no byte twice', async () => {
    await using server = await S3Server.start()
    await using storage = await openS3Storage(configOf(server))
    const content = Buffer.alloc(11 * MIB, 'x')
    const { id } = await storage.uploads.create('a')
    await storage.uploads.append(id, Readable.from([content]))
    server.operations.length = 0
    await storage.uploads.commit(id, digestOf(content))
    assert.equal(server.operations.filter((name) => name === 'UploadPartCopy').length, 3)
    assert.ok(!server.operations.includes('PutObject') && !server.operations.includes('GetObject'))
    assert.deepEqual([...server.objects.keys()], [`some/prefix/blobs/sha256/${digestOf(content).slice(7)}`])
  })

  it('commit that fails in the middle leaves the upload, and no parts that would be charged for', async () => {
    await using server = await S3Server.start()
    await using storage = await openS3Storage(configOf(server))
    const content = Buffer.alloc(11 * MIB, 'y')
    const { id } = await storage.uploads.create('a')
    await storage.uploads.append(id, Readable.from([content]))
    server.fault = (operation) => (operation === 'UploadPartCopy' ? 403 : undefined)
    await assert.rejects(storage.uploads.commit(id, digestOf(content)))
    server.fault = () => undefined
    assert.equal(server.unfinished, 0)
    assert.equal(await storage.blobs.stat(digestOf(content)), undefined)
    await storage.uploads.commit(id, digestOf(content))
    assert.equal(digestOf(await buffer(await storage.blobs.read(digestOf(content)))), digestOf(content))
  })

  it('touch makes an old blob young, in parts where it is large', async () => {
    for (const size of [3, 9 * MIB]) {
      await using server = await S3Server.start()
      await using storage = await openS3Storage(configOf(server))
      const content = Buffer.alloc(size, 'z')
      await storage.blobs.put(digestOf(content), content)
      for (const object of server.objects.values()) object.modified = new Date(Date.now() - 3600e3)
      await storage.blobs.touch(digestOf(content))
      const { modified = 0 } = (await storage.blobs.stat(digestOf(content))) ?? {}
      assert.ok(Date.now() - modified < 1800e3)
      assert.equal(digestOf(await buffer(await storage.blobs.read(digestOf(content)))), digestOf(content))
    }
  })

  it('redirect gives a URL that needs nothing else, for one method and one blob', async () => {
    await using server = await S3Server.start()
    await using storage = await openS3Storage(configOf(server, { prefix: 'a b/c+d' }))
    await storage.blobs.put(digestOf('content'), Buffer.from('content'))
    const url = (await storage.redirect(digestOf('content'), 'GET')) ?? ''
    assert.equal(await (await fetch(url)).text(), 'content')
    assert.equal((await fetch(url, { method: 'HEAD' })).status, 403)
    assert.equal((await fetch(url.replace(/[0-9a-f]{4}\?/, '0000?'))).status, 403)
    assert.equal((await fetch(url.replace('Expires=1200', 'Expires=1201'))).status, 403)
  })

  it('wrong keys and a missing bucket are errors, not absent blobs', async () => {
    await using server = await S3Server.start()
    const credentials = { accessKeyId: server.account.accessKeyId, secretAccessKey: 'wrong', sessionToken: undefined }
    for (const more of [{ credentials }, { bucket: 'other' }]) {
      await using storage = await openS3Storage(configOf(server, more))
      await assert.rejects(storage.check())
      await assert.rejects(storage.records.get('a/b'))
      await assert.rejects(storage.blobs.read(digestOf('x')), (error: { code?: string }) => error.code !== 'NOT_FOUND')
    }
  })
})
