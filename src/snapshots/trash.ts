import { mkdirSync, readdirSync, renameSync } from 'node:fs'
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { codeOf } from '#errors'
import type { JobRunner } from './unpack/job.ts'

const SETTLE_MS = 100

/** Takes directories away at once and deletes them in the background. */
export interface Trash {
  /** Absent is fine. */
  discard(path: string): void
  /** Also deletes what an earlier daemon left. Settles when the trash is empty; rejects when that fails. */
  empty(): Promise<void>
}

/** Trash at `directory`, on the file system of what is thrown away. `report` hears of failed deletions in the background. */
export function createTrash(deps: { directory: string; jobs: JobRunner; report: (error: unknown) => void }): Trash {
  let emptying: Promise<void> | undefined
  let soon: NodeJS.Timeout | undefined
  let more = false

  /** One job at a time takes all there is: containers that end together cost one message to the worker. */
  async function empty(): Promise<void> {
    // A run that is due would find nothing, and perhaps no data root either: who waits for this one may be about to delete it.
    clearTimeout(soon)
    soon = undefined
    more = true
    // Again when the run was just over: it has not seen what came last.
    while (more) {
      emptying ??= work().finally(() => (emptying = undefined))
      await emptying
    }
  }

  /** Not at once: waking the worker and deleting would take the processor from the start that often follows a removal. */
  function emptySoon(): void {
    more = true
    if (soon !== undefined) return
    soon = setTimeout(() => {
      soon = undefined
      // A run that has begun takes it, and tells those who wait for it when it fails; here it is reported once.
      if (more && emptying === undefined) empty().catch(reportUnlessCancelled)
    }, SETTLE_MS).unref()
  }

  function reportUnlessCancelled(error: unknown): void {
    if (codeOf(error) !== 'CANCELLED') deps.report(error)
  }

  async function work(): Promise<void> {
    while (more) {
      more = false
      mkdirSync(deps.directory, { recursive: true, mode: 0o700 })
      // A worker takes 100 ms to come up, and the daemon's start waits for this: not for nothing.
      if (readdirSync(deps.directory).length === 0) continue
      await deps.jobs.run({ kind: 'empty', directory: deps.directory })
    }
  }

  return {
    discard(path) {
      mkdirSync(deps.directory, { recursive: true, mode: 0o700 })
      try {
        renameSync(path, join(deps.directory, randomUUID()))
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
        throw error
      }
      emptySoon()
    },
    empty,
  }
}
