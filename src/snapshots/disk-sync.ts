import { codeOf } from '#errors'
import type { Metadata } from '#metadata'
import type { JobRunner } from './unpack/job.ts'

/** Milliseconds from an unpack to the sync that makes it durable: one sync for all layers of an image. */
const SYNC_DELAY = 1000

/** Somebody whose rows say whether their files are known to be on the disk. */
export interface SyncMember {
  /** Called before a sync. What it gives is called in a transaction after it: the rows that were unsynced before, and are still the same, are synced now. */
  beforeSync(): () => void
  afterSync?(): void
}

/** Writes the file system of the layers to the disk some time after something was put there. */
export interface DiskSync {
  /** `member` is told of every sync from now on. */
  join(member: SyncMember): void
  schedule(): void
}

/** `isBusy`: layers are being made, and the disk is wanted for what somebody waits for. */
export function createDiskSync(deps: {
  path: string
  jobs: JobRunner
  metadata: Metadata
  isBusy: () => boolean
  report: (error: unknown) => void
}): DiskSync {
  const members: SyncMember[] = []
  let timer: NodeJS.Timeout | undefined

  async function sync(): Promise<void> {
    const finish = members.map((member) => member.beforeSync())
    await deps.jobs.run({ kind: 'sync', path: deps.path })
    deps.metadata.transaction(() => {
      for (const confirm of finish) confirm()
    })
    for (const member of members) member.afterSync?.()
  }

  function schedule(): void {
    timer ??= setTimeout(() => {
      timer = undefined
      // One sync serves all layers of an image.
      if (deps.isBusy()) return schedule()
      sync().catch((error: unknown) => {
        // Cancelled by the daemon's end: the next start finds the rows unsynced and tries again.
        if (codeOf(error) !== 'CANCELLED') deps.report(error)
      })
    }, SYNC_DELAY).unref()
  }

  return { join: (member) => void members.push(member), schedule }
}

/** A row that may still be on its way to the disk. */
export interface UnsyncedRow {
  /** Boot of the machine during which its files were written, until a sync. Found after another boot, they may be incomplete. */
  unsyncedIn?: string
}

/** {@link SyncMember} for rows by key that `put` stores. A row that was replaced while the disk was busy is another one. */
export function syncRows<R extends UnsyncedRow>(rows: ReadonlyMap<string, R>, put: (row: R) => void): Pick<SyncMember, 'beforeSync'> {
  return {
    beforeSync() {
      const unsynced = [...rows].filter(([, row]) => row.unsyncedIn !== undefined)
      return () => {
        for (const [key, row] of unsynced) {
          if (rows.get(key) !== row) continue
          delete row.unsyncedIn
          put(row)
        }
      }
    },
  }
}
