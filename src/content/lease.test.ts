import assert from 'node:assert/strict'
import type { FileHandle } from 'node:fs/promises'
import { setImmediate as turn } from 'node:timers/promises'
import { describe, it } from 'node:test'
import { digestOf } from '#oci'
import type { Digest } from '#oci'
import { createLease } from './lease.ts'

const BLOB = digestOf('blob')

/** A file whose sync ends when the test says so. */
function slowFile(): { file: FileHandle; disk: PromiseWithResolvers<void> } {
  const disk = Promise.withResolvers<void>()
  return { file: { sync: () => disk.promise, close: async () => {} } as FileHandle, disk }
}

/** Two leases of one store; the first one's operation has stored BLOB, which is on its way to the disk. */
function twoLeases() {
  const syncing = new Map<Digest, Promise<void>>()
  const make = () => createLease({ syncDirectory: async () => {}, syncing, ended: () => {} })
  const [owner, other] = [make(), make()]
  const { file, disk } = slowFile()
  void owner.sync(BLOB, file).catch(() => {})
  return { other, disk, syncing }
}

describe('createLease', () => {
  it('durable waits for a held blob that another operation is writing to the disk', async () => {
    const { other, disk, syncing } = twoLeases()
    other.hold(BLOB)
    let isDurable = false
    const durable = other.durable().then(() => (isDurable = true))
    await turn()
    assert.equal(isDurable, false)
    disk.resolve()
    await durable
    assert.deepEqual([...syncing], [])
  })

  it('durable throws what another operation failed with that wrote a held blob', async () => {
    const { other, disk } = twoLeases()
    other.hold(BLOB)
    disk.reject(new Error('no space left on device'))
    await assert.rejects(other.durable(), /no space left/)
  })

  it('durable does not wait for what the lease does not hold', async () => {
    const { other, disk } = twoLeases()
    await other.durable()
    disk.resolve()
  })
})
