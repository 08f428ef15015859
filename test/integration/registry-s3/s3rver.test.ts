import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { it } from 'node:test'
import { digestOf } from '#oci'
import { openS3Storage } from '#registry'

/** What is used of s3rver, which comes without types. */
interface ForeignServer {
  run(): Promise<AddressInfo>
  httpServer: { closeAllConnections(): void; close(done: () => void): void }
}
type ForeignServerClass = new (options: Record<string, unknown>) => ForeignServer

/** A server nobody here wrote; what it lacks is told in `test/harness/s3-server.ts`. Uploads stay below one part here. */
it('openS3Storage works with s3rver', async () => {
  const name: string = 's3rver'
  const { default: S3rver } = (await import(name)) as { default: ForeignServerClass }
  await using owned = new AsyncDisposableStack()
  const directory = await mkdtemp(join(tmpdir(), 'gantry-s3rver-'))
  owned.defer(() => rm(directory, { recursive: true }))
  const server = new S3rver({
    directory,
    silent: true,
    address: '127.0.0.1',
    port: 0,
    configureBuckets: [{ name: 'registry', configs: [] }],
  })
  const { port } = await server.run()
  owned.defer(async () => {
    server.httpServer.closeAllConnections()
    await new Promise<void>((resolve) => server.httpServer.close(resolve))
  })
  const storage = owned.use(
    await openS3Storage({
      bucket: 'registry',
      region: 'us-east-1',
      endpoint: `http://127.0.0.1:${port}`,
      pathStyle: true,
      credentials: { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER', sessionToken: undefined },
      prefix: 'deep/prefix',
      encryption: undefined,
      storageClass: undefined,
      skipVerify: false,
      chunkSize: 16 << 20,
      copy: { partSize: 16 << 20, concurrency: 2, threshold: 64 << 20 },
    }),
  )
  await storage.check()
  const content = Buffer.alloc(6_000_000, 'layer')
  const digest = digestOf(content)
  const { id } = await storage.uploads.create('team/app')
  await storage.uploads.append(id, Readable.from([content.subarray(0, 1000)]))
  await storage.uploads.append(id, Readable.from([content.subarray(1000)]))
  assert.equal((await storage.uploads.stat(id))?.size, content.length)
  await storage.uploads.commit(id, digest)
  assert.deepEqual(await buffer(await storage.blobs.read(digest)), content)
  assert.deepEqual(await buffer(await storage.blobs.read(digest, { start: 5, end: 14 })), content.subarray(5, 15))
  assert.equal(await storage.uploads.stat(id), undefined)
  for (const tag of ['a', 'b', 'c']) await storage.records.put(`repositories/x/_tags/${tag}`, Buffer.from(digest))
  assert.deepEqual(await Array.fromAsync(storage.records.list('repositories/x/_tags', { after: 'a' })), ['b', 'c'])
  // One level only: s3rver does not see directories that hold nothing but directories.
  assert.deepEqual(await Array.fromAsync(storage.records.directories('repositories/x')), ['_tags'])
  assert.equal((await fetch((await storage.redirect(digest, 'GET')) ?? '')).status, 200)
  await storage.blobs.delete(digest)
  assert.equal(await storage.blobs.stat(digest), undefined)
})
