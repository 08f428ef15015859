import type { FileHandle } from 'node:fs/promises'
import type { Digest } from '#oci'
import type { Lease } from './types.ts'

/** Files that wait for their sync, open. An image has tens of blobs; an archive of thousands must not use up the descriptors. */
const MAX_WAITING = 64

/** A lease as the store that gave it sees it. */
export interface OpenLease extends Lease {
  readonly held: ReadonlySet<Digest>
  /** Syncs the file in the background and closes it. Resolves at once unless many wait already. */
  sync(file: FileHandle): Promise<void>
}

/** `ended`: it holds nothing any more. `syncDirectory` makes the names of synced files durable. */
export function createLease(deps: { syncDirectory: () => Promise<void>; ended: () => void }): OpenLease {
  const held = new Set<Digest>()
  let waiting = 0
  let synced: Promise<void> = Promise.resolve()

  return {
    held,
    hold: (digest) => void held.add(digest),
    async sync(file) {
      waiting++
      // One after the other: each occupies a thread of the pool that all file operations of the daemon share.
      synced = Promise.all([synced, syncAndClose(file, synced)])
        .then(() => {})
        .finally(() => waiting--)
      synced.catch(() => {}) // thrown by `durable`
      if (waiting > MAX_WAITING) await synced
    },
    async durable() {
      await synced
      await deps.syncDirectory()
    },
    [Symbol.dispose]: deps.ended,
  }
}

async function syncAndClose(file: FileHandle, before: Promise<void>): Promise<void> {
  try {
    await before.catch(() => {})
    await file.sync()
  } finally {
    await file.close()
  }
}
