import type { CdiRegistry } from '#cdi'
import type { ContentStore, Lease } from '#content'
import type { Semaphore } from '#lib'
import type { BuildCache, CachePins } from '../cache/build-cache.ts'
import type { CacheRecord, KeyPair } from '../cache/cache-record.ts'
import type { Ref } from '../graph/ref.ts'
import type { Op, SourceOp, Vertex } from '../graph/types.ts'
import type { SourceCheck } from '../policies/source-check.ts'
import type { Progress } from '../progress.ts'
import type { CacheMounts } from '../run/types.ts'
import type { BuildSession } from '../session.ts'
import type { ContentDigests, Entitlement, ImportedCache, Material, SourceResolver, StepRunner } from '../types.ts'
import type { RunningSteps } from './running-steps.ts'
import type { VertexDisplay } from './vertex-display.ts'

export type SourceResolvers = { readonly [K in SourceOp['kind']]: SourceResolver<Extract<Op, { kind: K }>> }
export type StepRunners = Readonly<Record<'exec' | 'file' | 'merge' | 'diff', StepRunner>>

/** What all builds solve with. */
export interface SolverDeps {
  cache: BuildCache
  content: Pick<ContentStore, 'lease'>
  sources: SourceResolvers
  runners: StepRunners
  digests: ContentDigests
  cacheMounts: Pick<CacheMounts, 'retire'>
  running: RunningSteps<Solved>
  devices: Pick<CdiRegistry, 'list'>
  /** Places for RUN steps: how many programs may run at once. */
  places: Semaphore
}

/** One build, as its graph is solved. */
export interface BuildScope {
  readonly session: BuildSession
  sessionOf(id: string | undefined): BuildSession
  readonly entitlements: ReadonlySet<Entitlement>
  readonly sources: Pick<SourceCheck, 'check' | 'allowed'>
  readonly progress: Progress
  readonly display: VertexDisplay
  /** Holds every result until the build ends. */
  readonly lease: Lease
  readonly pins: CachePins
  /** Calls `release` when the build has ended; at once when it has. For directories of clients. */
  onEnd(release: () => void): void
  readonly hasImports: boolean
  /** Caches to ask when ours has nothing; loaded when first wanted. */
  imports(): Promise<readonly ImportedCache[]>
}

/** What a vertex is, as far as can be said without running it. */
export interface Identity extends KeyPair {
  /** Further keys that lead here: where inputs came from that count by content. */
  aliases: readonly KeyPair[]
  /** Its result is in the cache. */
  record?: CacheRecord
  /** Its result is in an imported cache. */
  imported?: ImportedResult
  /** Of a source: what exactly is to be fetched. */
  pinned?: SourceOp
  material?: Material
}

export interface ImportedResult {
  from: ImportedCache
  found: NonNullable<ReturnType<ImportedCache['find']>>
}

/** What a vertex gave, by output. */
export interface Solved {
  outputs: readonly Ref[]
  /** Absent for a directory of the client. */
  record?: CacheRecord
}

export function isSource(vertex: Vertex): boolean {
  return ['image', 'local', 'git', 'http', 'layout'].includes(vertex.op.kind)
}
