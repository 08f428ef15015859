import type { CdiRegistry } from '#cdi'
import type { ContentStore } from '#content'
import type { Files } from '#kernel'
import type { Metadata } from '#metadata'
import type { Digest, Platform } from '#oci'
import type { DraftLayers, Snapshotter } from '#snapshots'
import type { CacheStore } from './cache/cache-usage.ts'
import type { Ref } from './graph/ref.ts'
import type { ProvenanceFacts } from './provenance-facts.ts'
import type { CacheMounts } from './run/types.ts'
import type { SourceResolvers, StepRunners } from './solver/solver.ts'
import type { CollectionRule } from './cache/types.ts'
import type {
  BuildResult,
  CacheLocation,
  ContentDigests,
  DebugContainer,
  DebugContainerRequest,
  Entitlement,
  ExportContext,
  ExportRequest,
  FrontendHost,
  FrontendRequest,
  ImageProvenance,
  ImageRequest,
  ImportedCache,
  ResolvedImage,
  SolvedResult,
  Step,
} from './types.ts'

/** Reads what the client has written and gives the graph of it. */
export type Frontend = (request: FrontendRequest, host: FrontendHost) => Promise<BuildResult>

/** An export whose attributes have been read. */
export interface BuildExport {
  export(result: SolvedResult, context: ExportContext): Promise<Record<string, string>>
}

/** Caches somewhere else. */
export interface CachePlaces {
  /** Shown as a vertex `importing cache manifest from …`. A place that has nothing is no error: the answer finds nothing then. */
  open(location: CacheLocation, context: Pick<ExportContext, 'session' | 'signal' | 'progress' | 'lease'>): Promise<ImportedCache>
  /** Writes what the build's steps gave. Reads the attributes first: throws INVALID_ARGUMENT, NOT_IMPLEMENTED. */
  prepare(location: CacheLocation): BuildExport
}

/** File systems to look around in, solved. */
export type DebugRequest = Omit<DebugContainerRequest, 'mounts'> & {
  mounts?: readonly { target: string; ref: Ref | undefined; readonly: boolean; selector: string }[]
}

/** Read at each use: a reload changes it. */
export interface BuildSettings {
  /** What clients may ask for. */
  entitlements: ReadonlySet<Entitlement>
  /** RUN steps at a time, of all builds. */
  maxRunSteps: number
  /** Empty: nothing is collected by itself. */
  collectionRules: readonly CollectionRule[]
}

export interface BuildServiceDeps {
  metadata: Metadata
  content: Pick<ContentStore, 'lease'>
  snapshotter: Pick<Snapshotter, 'has' | 'view'> & Pick<DraftLayers, 'layersOf' | 'draftUsage'>
  files: Pick<Files, 'openRoot' | 'openInRoot'>
  settings: () => BuildSettings
  hostPlatform: Platform
  platforms: () => Platform[]
  /** By BuildKit's names: `dockerfile.v0`. */
  frontends: Readonly<Record<string, Frontend>>
  sources: SourceResolvers
  resolveImage: (request: ImageRequest, context: Step) => Promise<ResolvedImage>
  runners: StepRunners
  digests: ContentDigests
  cacheMounts: Pick<CacheMounts, 'retire'>
  devices: Pick<CdiRegistry, 'list'>
  exporters: {
    prepare(request: ExportRequest, options: Readonly<Record<string, string>>): BuildExport
    /** What is known of how an image for this platform was made. */
    describe(facts: ProvenanceFacts, platform: Platform): Omit<ImageProvenance, 'image'>
  }
  caches: CachePlaces
  openContainer: (request: DebugRequest, context: Step) => Promise<DebugContainer>
  /** What else the cache consists of: cache mounts, directories that were sent. */
  stores: readonly CacheStore[]
  /** Diff ids of layers that images have. */
  imageLayers: () => ReadonlySet<Digest>
  /** Bytes of the disk that nothing uses. */
  freeSpace: () => number
  /** Called when a build starts. */
  starting?: () => void
  /** Frees layers that nothing names any more; goes on in the background. */
  released: () => void
  /** Hears of failures in the background. */
  report: (error: unknown) => void
  /** Milliseconds since the epoch, with fraction. */
  now: () => number
}
