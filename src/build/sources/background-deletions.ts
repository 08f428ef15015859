import { rmdirSync } from 'node:fs'
import { codeOf } from '#errors'
import type { JobRunner } from '#snapshots'

/** Deletes directories that nobody needs, in worker threads: thousands of files would hold up the daemon. */
export interface BackgroundDeletions {
  /** Absent is fine. */
  delete(path: string): void
  /** Waits for what goes on. */
  settled(): Promise<void>
}

/** `report` hears of failures. What is left when the daemon ends is the next start's. */
export function createBackgroundDeletions(deps: { jobs: Pick<JobRunner, 'run'>; report: (error: unknown) => void }): BackgroundDeletions {
  const running = new Set<Promise<void>>()

  async function work(path: string): Promise<void> {
    try {
      await deps.jobs.run({ kind: 'empty', directory: path })
      rmdirSync(path)
    } catch (error) {
      const isGone = error instanceof Error && /\bENOENT\b/.test(error.message) // errors of workers come as text
      if (!isGone && codeOf(error) !== 'CANCELLED') deps.report(error)
    }
  }

  return {
    delete(path) {
      const deletion = work(path).finally(() => running.delete(deletion))
      running.add(deletion)
    },
    async settled() {
      while (running.size > 0) await Promise.all(running)
    },
  }
}
