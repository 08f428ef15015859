import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { digestOf } from '#oci'
import { registryStorageContract } from '../../../../test/contract/registry-storage.ts'
import { openFileStorage } from './file-storage.ts'

async function temporaryRoot(): Promise<{ root: string } & AsyncDisposable> {
  const root = await mkdtemp(join(tmpdir(), 'registry-storage-'))
  return { root, [Symbol.asyncDispose]: () => rm(root, { recursive: true }) }
}

registryStorageContract('openFileStorage', async () => {
  const { root, ...directory } = await temporaryRoot()
  const open = () => openFileStorage({ root, sync: false })
  return { storage: await open(), reopen: open, ...directory }
})

describe('openFileStorage', () => {
  it('removes what a killed process left: drafts and uploads without data', async () => {
    await using directory = await temporaryRoot()
    const { root } = directory
    const first = await openFileStorage({ root, sync: false })
    const kept = await first.uploads.create('a')
    const torn = await first.uploads.create('a')
    await rm(join(root, 'uploads', torn.id, 'data'))
    await mkdir(join(root, 'uploads', 'empty'))
    await writeFile(join(root, 'tmp', 'draft'), 'half a manif')
    const second = await openFileStorage({ root, sync: false })
    assert.deepEqual(await readdir(join(root, 'tmp')), [])
    assert.deepEqual(await readdir(join(root, 'uploads')), [kept.id])
    assert.equal((await second.uploads.stat(kept.id))?.owner, 'a')
  })

  it('refuses a directory of another layout', async () => {
    await using directory = await temporaryRoot()
    await writeFile(join(directory.root, 'layout'), '99\n')
    await assert.rejects(openFileStorage({ root: directory.root }), { code: 'CONFLICT', message: /layout "99"/ })
  })

  it('commit makes a blob of now, however old its last byte is: a collection would take it otherwise', async () => {
    await using directory = await temporaryRoot()
    const { root } = directory
    const { uploads, blobs } = await openFileStorage({ root, sync: false })
    const { id } = await uploads.create('a')
    const longAgo = new Date(Date.now() - 86_400_000)
    await utimes(join(root, 'uploads', id, 'data'), longAgo, longAgo)
    await uploads.commit(id, digestOf(''))
    const blob = await blobs.stat(digestOf(''))
    assert.ok(blob && blob.modified > Date.now() - 60_000)
  })

  it('syncs by default and gives the same content', async () => {
    await using directory = await temporaryRoot()
    const { blobs, records } = await openFileStorage({ root: directory.root })
    await blobs.put(digestOf('x'), Buffer.from('x'))
    await records.put('a/b/c', Buffer.from('y'))
    await records.delete('a/b/c')
    assert.equal((await blobs.stat(digestOf('x')))?.size, 1)
    assert.deepEqual(await readdir(join(directory.root, 'records')), [])
  })

  it('a record key cannot lead out of the root', async () => {
    await using directory = await temporaryRoot()
    const { records } = await openFileStorage({ root: directory.root, sync: false })
    for (const key of ['../x', 'a/../../x', '/etc/passwd', 'a//b', 'a/', '', 'a/.', 'a\0b', 'ä']) {
      await assert.rejects(records.put(key, Buffer.from('x')), { code: 'INVALID_ARGUMENT' })
      await assert.rejects(records.get(key), { code: 'INVALID_ARGUMENT' })
    }
  })
})
