/** A registry whose file system (a tmpfs of 16 MiB) runs full: it says so, loses nothing that it has, and goes on when there is room again. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createRegistry, openFileStorage } from '#registry'
import { digestOf } from '#oci'
import { errorCodes, RegistryClient } from '../conformance/distribution-spec/registry-client.ts'
import { unshared } from '../integration/unshared.ts'

interface FullDisk extends AsyncDisposable {
  client: RegistryClient
  root: string
}

async function setUp(): Promise<FullDisk> {
  const directory = mkdtempSync(join(tmpdir(), 'registry-full-'))
  execFileSync('ip', ['link', 'set', 'lo', 'up'])
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', directory])
  const root = join(directory, 'registry')
  mkdirSync(root)
  const registry = createRegistry({ storage: await openFileStorage({ root }) })
  const { port } = await registry.listen({ host: '127.0.0.1', port: 0 })
  return {
    client: new RegistryClient(`http://127.0.0.1:${port}`),
    root,
    async [Symbol.asyncDispose]() {
      await registry.close({ grace: 100 })
      execFileSync('umount', [directory])
      rmSync(directory, { recursive: true })
    },
  }
}

unshared(import.meta.filename, () => {
  test('a registry on a full disk answers 507, keeps what it has, and goes on when there is room', async () => {
    await using disk = await setUp()
    const { client, root } = disk
    const image = await client.pushImage('team/app', 'v1')

    const large = randomBytes(20_000_000)
    const upload = await client.startUpload('team/app')
    const refused = await client.patch(upload, large)
    assert.equal(refused.status, 507)
    assert.deepEqual(errorCodes(refused), ['UNAVAILABLE'])

    // The rest of the room is taken by the upload: nothing else fits, and what was there is still there.
    const { status } = await client.putManifest(
      'team/app',
      'v2',
      `${JSON.stringify(await readImage(client, image.digest))}${' '.repeat(1_000_000)}`,
    )
    assert.equal(status, 507)
    assert.equal(digestOf((await client.getManifest('team/app', 'v1')).body), image.digest)
    assert.equal((await client.getManifest('team/app', 'v2')).status, 404)
    assert.deepEqual(await readdir(join(root, 'tmp')), [])

    assert.equal((await client.send('DELETE', upload)).status, 204)
    await client.pushBlob('team/app', large.subarray(0, 5_000_000))
    await client.pushImage('team/app', 'v2')
  })
})

async function readImage(client: RegistryClient, digest: string): Promise<unknown> {
  return JSON.parse(String((await client.getManifest('team/app', digest)).body))
}
