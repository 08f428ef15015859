import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { it } from 'node:test'
import { digestOf } from '#oci'
import { OciLayout } from '../../harness/oci-layout.ts'
import { RegistryProgram } from '../../harness/registry-program.ts'
import { S3Server } from '../../harness/s3-server.ts'
import { skopeoMeanwhile } from '../../harness/skopeo.ts'
import { unshared } from '../unshared.ts'

const REGISTRY = '127.0.0.1:5000'
const LAYER = randomBytes(12 << 20)

unshared(import.meta.filename, () => {
  it('gantry registry serve keeps images in a bucket, and sends clients there for blobs', async () => {
    execFileSync('ip', ['link', 'set', 'lo', 'up'])
    await using server = await S3Server.start()
    const { accessKeyId: accesskey, secretAccessKey: secretkey, region } = server.account
    await using registry = await RegistryProgram.start(() => ({
      http: { addr: ':5000' },
      storage: {
        s3: {
          bucket: server.bucket,
          region,
          regionendpoint: server.endpoint,
          accesskey,
          secretkey,
          chunksize: 5 << 20,
          rootdirectory: '/images',
        },
        delete: { enabled: true },
      },
      health: { storagedriver: { enabled: true } },
    }))
    const layout = new OciLayout(join(registry.directory, 'layout'))
    layout.name('image', layout.addImage([{ tar: LAYER, bytes: LAYER, type: 'tar' }]))
    const skopeo = async (...args: string[]): Promise<string> => {
      const { status, stdout, stderr } = await skopeoMeanwhile(registry.directory, ...args)
      assert.equal(status, 0, stderr + registry.log)
      return stdout
    }
    await skopeo(
      'copy',
      '--preserve-digests',
      '--dest-tls-verify=false',
      `oci:${layout.directory}:image`,
      `docker://${REGISTRY}/team/app:1`,
    )
    await skopeo('copy', '--src-tls-verify=false', `docker://${REGISTRY}/team/app:1`, `dir:${registry.directory}/pulled`)
    assert.ok(server.objects.has(`images/blobs/sha256/${digestOf(LAYER).slice(7)}`))
    assert.ok(server.operations.includes('UploadPartCopy'))

    const redirect = await fetch(`http://${REGISTRY}/v2/team/app/blobs/${digestOf(LAYER)}`, { redirect: 'manual' })
    assert.equal(redirect.status, 307)
    assert.ok(redirect.headers.get('location')?.startsWith(`${server.endpoint}/registry/images/blobs/`))
    const range = await fetch(`http://${REGISTRY}/v2/team/app/blobs/${digestOf(LAYER)}`, { headers: { Range: 'bytes=5-9' } })
    assert.deepEqual(Buffer.from(await range.arrayBuffer()), LAYER.subarray(5, 10))

    // Its content is there after a restart, and another server on the same bucket has it.
    assert.equal(await registry.stop(), 0)
    await registry.start()
    const tags = await fetch(`http://${REGISTRY}/v2/team/app/tags/list`)
    assert.deepEqual(await tags.json(), { name: 'team/app', tags: ['1'] })
    assert.deepEqual(
      [...server.objects.keys()].filter((key) => key.includes('/uploads/')),
      [],
    )
    assert.equal(server.unfinished, 0)
  })
})
