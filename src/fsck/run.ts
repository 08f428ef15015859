import type { ContentStore } from '#content'
import type { ImageService } from '#images'
import type { Metadata } from '#metadata'
import type { Digest } from '#oci'
import type { JobRunner, LayerCare, Snapshotter } from '#snapshots'
import type { Finding, FsckOptions, FsckPhase } from './types.ts'

export interface FsckDeps {
  metadata: Metadata
  content: ContentStore
  snapshotter: Snapshotter & LayerCare
  images: Pick<ImageService, 'check' | 'list'>
  jobs: JobRunner
  /** Ids of containers that run or may still be mounted. */
  mounted: () => Promise<ReadonlySet<string>>
  paths: { dataRoot: string; containers: string; volumes: string; temporary: string }
}

/** `severity` is `error` unless said otherwise. */
export type FoundFinding = Pick<Finding, 'kind' | 'object' | 'text'> & { severity?: Finding['severity'] }

/** What one run knows and does; each check gets it. */
export interface FsckRun {
  readonly deps: FsckDeps
  readonly repair: boolean
  readonly signal: AbortSignal | undefined
  readonly findings: Finding[]
  readonly lost: Set<string>
  /** Blobs that are damaged and still there: not to be trusted by later checks. */
  readonly damagedBlobs: Set<Digest>
  readonly progress: (phase: FsckPhase, done: number, total: number) => void
  /** Reports a finding, mended before when that is asked for. `mend` throws when it has to leave it; absent: nothing can be done. */
  readonly found: (finding: FoundFinding, mend?: () => unknown) => Promise<void>
}

export function createRun(deps: FsckDeps, options: FsckOptions): FsckRun {
  const findings: Finding[] = []
  return {
    deps,
    repair: options.repair,
    signal: options.signal,
    findings,
    lost: new Set(),
    damagedBlobs: new Set(),
    progress: (phase, done, total) => options.report({ kind: 'progress', phase, done, total }),
    async found(given, mend) {
      const finding: Finding = { severity: 'error', ...given, repairable: mend !== undefined, outcome: 'found' }
      if (options.repair && mend !== undefined) {
        try {
          await mend()
          finding.outcome = 'repaired'
        } catch (error) {
          options.signal?.throwIfAborted()
          finding.outcome = 'failed'
          finding.text += `; cannot repair: ${(error as Error).message}`
        }
      }
      findings.push(finding)
      options.report({ kind: 'finding', finding })
    },
  }
}

/** Objects looked at at once: the workers are few, but one should not wait for the next to be sent. */
const AT_ONCE = 4

/** Looks at all items of a phase, some at once, and tells how far it is. After a failure none is begun any more, and none is left running. */
export async function forEachOf<T>(run: FsckRun, phase: FsckPhase, items: readonly T[], check: (item: T) => Promise<void>): Promise<void> {
  const rest = items.values()
  let done = 0
  let failed = false
  run.progress(phase, 0, items.length)
  async function work(): Promise<void> {
    for (const item of rest) {
      if (failed) return
      run.signal?.throwIfAborted()
      await check(item)
      run.progress(phase, ++done, items.length)
    }
  }
  const works = Array.from({ length: AT_ONCE }, work)
  for (const each of works) each.catch(() => (failed = true))
  for (const outcome of await Promise.allSettled(works)) if (outcome.status === 'rejected') throw outcome.reason
}
