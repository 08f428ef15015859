import type { FileHandle } from 'node:fs/promises'
import type { Digest } from '#oci'
import type { Lease } from './types.ts'

/** Files that wait for their sync, open. An image has tens of blobs; an archive of thousands must not use up the descriptors. */
const MAX_WAITING = 64

/** A lease as the store that gave it sees it. */
export interface OpenLease extends Lease {
  readonly held: ReadonlySet<Digest>
  /** Syncs the file of a blob and closes it, in the background. Resolves when both is done; whoever waits for nothing need not look at it. */
  sync(digest: Digest, file: FileHandle): Promise<void>
  /** Resolves at once unless too many files wait for their sync. */
  room(): Promise<void>
}

/**
 * `syncDirectory` makes the names of synced files durable. `syncing` is shared by all leases: blobs that are being written to the disk, for whoever
 * ingested them. `ended`: it holds nothing any more.
 */
export function createLease(deps: {
  syncDirectory: () => Promise<void>
  syncing: Map<Digest, Promise<void>>
  ended: () => void
}): OpenLease {
  const held = new Set<Digest>()
  let waiting = 0
  let synced: Promise<void> = Promise.resolve()

  return {
    held,
    hold: (digest) => void held.add(digest),
    sync(digest, file) {
      waiting++
      // One after the other: each occupies a thread of the pool that all file operations of the daemon share.
      synced = Promise.all([synced, syncAndClose(file, synced)])
        .then(() => {})
        .finally(() => waiting--)
      const own = synced
      deps.syncing.set(digest, own)
      const forget = (): void => void (deps.syncing.get(digest) === own && deps.syncing.delete(digest))
      own.then(forget, forget) // a failure is thrown by `durable`
      return own
    },
    async room() {
      if (waiting > MAX_WAITING) await synced
    },
    async durable() {
      await synced
      // Another operation may have stored what this one found and holds.
      await Promise.all([...held].map(async (digest) => await deps.syncing.get(digest)))
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
