/** Contracts of `build/`: the service that the doors use, and what its parts expect of each other. The manual is in `index.ts`. */

import type { Duplex } from 'node:stream'
import type { Lease } from '#content'
import type { Digest, ImageConfigFile, Platform } from '#oci'
import type { ChainId } from '#snapshots'
import type { BuildDevice } from './devices/build-device.ts'
import type { CacheFilters, CacheRecordInfo, CollectionRule, PruneOptions } from './cache/types.ts'
import type { LayerRef, Ref } from './graph/ref.ts'
import type { Edge, ExecOp, SourceRange, Vertex } from './graph/types.ts'
import type { SourcePolicy } from './policies/types.ts'
import type { BuildEvent, Progress } from './progress.ts'
import type { ProvenanceFacts } from './provenance-facts.ts'
import type { BuildSession, FileStat } from './session.ts'

// ── The service ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** What may only be done when daemon and client both allow it. `device=…`: one of the devices, see `devices/device-grants.ts`. */
export type Entitlement = 'network.host' | 'security.insecure' | 'device' | `device=${string}`

export interface BuildOptions {
  /** Chosen by the client; other requests name the build by it. */
  id: string
  session: BuildSession
  /** Other sessions of the same client, which its definitions name by id; absent: it has only the one. Throws NOT_FOUND. */
  sessionOf?: (id: string) => BuildSession
  /** What the client allows. Throws FORBIDDEN when the daemon does not. */
  entitlements: ReadonlySet<Entitlement>
  /** `type=registry,ref=…` of `--cache-from`, decoded. */
  cacheImports: readonly CacheLocation[]
  /** Absent: all sources are allowed. */
  sourcePolicy?: SourcePolicy
  signal?: AbortSignal
}

/** `type` and attributes as the client wrote them: `registry`, `local`, `inline`. */
export interface CacheLocation {
  type: string
  attributes: Readonly<Record<string, string>>
}

export interface BuildService {
  /** Begins a build; nothing happens before its methods are called. Throws CONFLICT for an id in use. */
  start(options: BuildOptions): Build
  /** A build that has not ended. Throws NOT_FOUND. */
  get(id: string): Build
  /** Stops a build at once. Unknown ids are fine: it may just have ended. */
  cancel(id: string): void
  /** Events of a build from its first one on; waits for a build that is about to start, ends with it. */
  events(id: string, signal: AbortSignal): AsyncIterable<readonly BuildEvent[]>
  /** Records of the build cache, for `df`, `du`. */
  diskUsage(filters?: CacheFilters): Promise<CacheRecordInfo[]>
  prune(options: PruneOptions): Promise<CacheRecordInfo[]>
  /** Rules of the automatic collection, as configured. */
  readonly collectionRules: readonly CollectionRule[]
  /** Platforms that RUN steps can be made for: the host's, and those that binfmt_misc has a handler for. */
  platforms(): Platform[]
  /** What RUN steps may ask for. */
  devices(): Promise<BuildDevice[]>
  close(): Promise<void>
}

/** What whoever drives a build may do: a client, or a frontend that is a program of its own. */
export interface DrivenBuild {
  readonly id: string
  readonly signal: AbortSignal
  /** Runs a frontend. With `evaluate` its results are solved, too. Results stay known until the build ends. */
  solve(request: FrontendRequest & { evaluate: boolean }): Promise<BuildResult>
  /** Solves one file system. */
  evaluate(edge: Edge): Promise<Ref>
  /** At most 16 MiB. Throws NOT_FOUND. */
  readFile(edge: Edge, path: string, range?: { offset: number; length: number }): Promise<Uint8Array>
  readDirectory(edge: Edge, path: string, includePattern: string): Promise<FileStat[]>
  statFile(edge: Edge, path: string): Promise<FileStat>
  resolveImage(request: ImageRequest): Promise<ResolvedImage>
  warn(warning: BuildWarning): void
  /** Opens a step's state: what a failed step would have run in, or any file systems. For `--debug`, and for programs of frontends. */
  openContainer(request: DebugContainerRequest): Promise<DebugContainer>
}

/** One build, driven by a client: frontends are run, results looked at, and at last exported. */
export interface Build extends DrivenBuild {
  /** Exports what a frontend has given, writes caches, and ends the build. Gives the exporters' answers (`containerimage.digest` …). */
  finish(result: BuildResult, exports: readonly ExportRequest[], cacheExports: readonly CacheLocation[]): Promise<Record<string, string>>
  /** What `finish` has exported, with all that is known (`mode=max`), one for each image; empty before. */
  provenance(): ImageProvenance[]
  /** Stops what goes on, and gives back all that the build holds. Idempotent; never fails. */
  end(): Promise<void>
}

export interface BuildWarning {
  vertex: Digest
  level: number
  short: string
  detail: readonly string[]
  url: string
  source?: SourceRange
}

// ── Frontends ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

export interface FrontendRequest {
  /** `dockerfile.v0`; empty: the result is `definition` as it is. */
  frontend: string
  /** BuildKit's names: `target`, `filename`, `build-arg:X`, `platform`, `requestid` … */
  options: Readonly<Record<string, string>>
  /** File systems that the client has defined, by name: contexts `input:<name>`. */
  inputs: Readonly<Record<string, Edge>>
  definition?: Edge
}

/** What a frontend gives: file systems that are not solved yet, and images' configs. */
export interface BuildResult {
  /** One for a plain build; several for `--platform a,b`. Empty for requests that only answer (`outline`). */
  images: readonly BuildImage[]
  /** Several platforms were asked for, though it may be one only. */
  multiPlatform: boolean
  /** Answers of requests: `result.json`, `result.txt`, `version` …; annotations of exporters. */
  metadata: Readonly<Record<string, Uint8Array>>
}

export interface BuildImage {
  /** `linux/amd64`, `linux/arm/v7`. */
  id: string
  platform: Platform
  /** undefined: an empty file system. */
  edge: Edge | undefined
  /**
   * The image's config as the frontend made it; diff ids are the exporter's to fill in. Entries of `history` without `empty_layer` and layers belong together
   * in order. Absent for plain file systems.
   */
  config?: ImageConfigFile
  /** Instructions in the order of the Dockerfile, for the classic display. */
  steps?: readonly BuildStep[]
  /** A file system of statements about the image, as a scanner wrote them: files of JSON. */
  statements?: Edge
}

export interface BuildStep {
  /** `RUN make`, with variables as written. */
  text: string
  /** undefined: it only changes the config. */
  vertex: Digest | undefined
  /** `global`: an ARG in front of the first FROM. `scratch`: a FROM that begins with nothing. `trigger`: an ONBUILD of the base, which belongs to the FROM in front of it. */
  role?: 'global' | 'scratch' | 'trigger'
}

/** What an image was made of and how. Source: slsa.dev/provenance. */
export interface ImageProvenance {
  /** {@link BuildImage.id}. */
  image: string
  /** `https://slsa.dev/provenance/v0.2`. */
  predicateType: string
  predicate: object
}

/** What a frontend may ask of the engine. */
export interface FrontendHost {
  readonly session: BuildSession
  readonly signal: AbortSignal
  readonly hostPlatform: Platform
  /** Config and digest of an image; what is asked twice in one build is answered the same. */
  resolveImage(request: ImageRequest): Promise<ResolvedImage>
  /** Solves, and reads. undefined: there is no such file. */
  readFile(edge: Edge, path: string, range?: { offset: number; length: number }): Promise<Uint8Array | undefined>
  readDirectory(edge: Edge, path: string): Promise<FileStat[]>
  warn(warning: BuildWarning): void
  /** Another frontend's result instead of this one's, as if the client had asked for that one. */
  forward(request: FrontendRequest): Promise<BuildResult>
  /** The same build for a frontend that is a program. Frontends that it runs are inside of this one. */
  readonly build: DrivenBuild
  /** What is done under this name is shown as a vertex from now on. */
  show(name: string): FrontendWork
}

/** Work of a frontend that is no step. Ended once; later calls change nothing. */
export interface FrontendWork {
  log(stream: 1 | 2, data: Uint8Array): void
  done(): void
  failed(error: unknown): void
}

export interface ImageRequest {
  /** As in the Dockerfile. */
  reference: string
  platform: Platform
  resolveMode: 'local' | 'pull'
  /** `[internal] load metadata for docker.io/library/alpine:3`. */
  name: string
  /** An OCI layout of the client instead of a registry: its store id. */
  layout?: string
  session?: string
}

export interface ResolvedImage {
  /** Full name with the digest of what the registry gave; without one for an image that was made here. */
  reference: string
  digest: Digest
  config: ImageConfigFile
  /** Layers of an image that was made here, which the build holds from now on: its name may be given to another one. */
  chain?: ChainId
}

// ── Solving ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** What one vertex is run with. Several builds may wait for it; it is stopped when none does any more. */
export interface Step {
  readonly vertex: Vertex
  readonly session: BuildSession
  /** Of a client with several sessions. */
  sessionOf(id: string | undefined): BuildSession
  readonly signal: AbortSignal
  readonly entitlements: ReadonlySet<Entitlement>
  log(stream: 1 | 2, data: Uint8Array): void
  /** Progress of one thing; `done` when it is finished. */
  status(id: string, state: { current: number; total?: number; done?: boolean }): void
  /** Keeps what is made until the step's result is in the cache. */
  readonly lease: Lease
}

/** Solves one kind of source. */
export interface SourceResolver<S> {
  /** What the source is now: part of the cache key (`sha256:…` of a manifest, commit …), and, if it differs, the source to be fetched with everything pinned. */
  identify(source: S, step: Step): Promise<{ key: string; pinned: S; material?: Material }>
  fetch(source: S, step: Step): Promise<Ref>
}

/** For provenance: something the build was made of. */
export interface Material {
  /** `pkg:docker/alpine@3?platform=linux%2Famd64`, `https://…#ref`. */
  uri: string
  digest: Readonly<Record<string, string>>
}

/** Carries out a step whose inputs are solved. One result per output. */
export interface StepRunner {
  run(inputs: readonly Ref[], step: Step): Promise<readonly LayerRef[]>
}

/** Digests of what a step reads of an input, so that equal content gives equal keys. */
export interface ContentDigests {
  /**
   * Digest of what `selection` names in `ref`: names, types, modes, owners, contents, link targets; no times. Wildcards and links are followed as the step
   * would follow them. Remembered for each `ref`.
   */
  digest(ref: Ref, selection: ContentSelection, signal: AbortSignal): Promise<Digest>
}

export interface ContentSelection {
  path: string
  followLinks: boolean
  wildcard: boolean
  includePatterns: readonly string[]
  excludePatterns: readonly string[]
}

/** A step failed. Carries what a debugger needs to enter its state. */
export interface FailedStep {
  vertex: Vertex
  inputs: readonly Ref[]
  /** 0: it did not run. */
  exitCode: number
}

export interface DebugContainerRequest {
  /** The state just before this failed step, its mounts included; or file systems by mount. */
  step?: FailedStep
  mounts?: readonly { target: string; edge: Edge | undefined; readonly: boolean; selector: string }[]
  network: 'default' | 'none' | 'host'
  hostname: string
  extraHosts: readonly { host: string; address: string }[]
  /** Absent: those of the step, else none. */
  limits?: Pick<ExecOp, 'limits' | 'ulimits' | 'cgroupParent'>
}

export interface DebugProcess {
  args: readonly string[]
  env: readonly string[]
  cwd: string
  user: string
  tty: boolean
}

export interface DebugContainer extends AsyncDisposable {
  /** Runs a program. `stream`: Docker's frames without tty, raw with; writing is its stdin. */
  run(process: DebugProcess): Promise<{
    stream: Duplex
    exited: Promise<number>
    kill(signal: number): Promise<void>
    resize(rows: number, columns: number): Promise<void>
  }>
}

// ── Export ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Names and attributes are BuildKit's: `moby`/`image`, `docker`, `oci`, `local`, `tar`. */
export interface ExportRequest {
  type: string
  attributes: Readonly<Record<string, string>>
  /** The client's id for where files go; empty: its only target. */
  id: string
}

/** A result all of whose file systems are there. */
export interface SolvedResult {
  images: readonly { image: BuildImage; ref: Ref; statements?: readonly FoundStatement[] }[]
  multiPlatform: boolean
  metadata: Readonly<Record<string, Uint8Array>>
}

/** A statement that was found in a file of {@link BuildImage.statements}. Source: in-toto.io/Statement v0.1. */
export interface FoundStatement {
  file: string
  predicateType: string
  predicate: object
  /** Empty: the image. */
  subject: readonly { name: string; digest: Readonly<Record<string, string>> }[]
}

/** What exporting is done with. */
export interface ExportContext {
  readonly session: BuildSession
  readonly signal: AbortSignal
  /** Shown as a vertex of its own: `exporting to image`. */
  readonly progress: Progress
  readonly lease: Lease
  /** For provenance. */
  readonly provenance: ProvenanceFacts
  /** What the build's steps gave, one entry for each; with them layers get their times, and caches are exported. */
  readonly steps: readonly StepResult[]
  /** `--cache-to type=inline`: images tell in their configs which steps their layers come from. */
  readonly inlineCache: boolean
}

/** A step of the build as the cache knows it. */
export interface StepResult {
  /** Id of the vertex, and which of its outputs. A step that two vertices stand for is told twice. */
  vertex: Digest
  output: number
  /** All under which it is found; first the one that steps above depend on. */
  keys: readonly [Digest, ...Digest[]]
  /** Perhaps with drafts; undefined: it left an empty file system. */
  chain: ChainId | undefined
  description: string
  /** When it was made, by this build or an earlier one. Milliseconds since the epoch. */
  createdAt: number
  /** The exported file systems consist of it: all that `mode=min` takes along. */
  isInResult: boolean
}

/**
 * Cache entries as exported and imported: by key, the layers (diff ids, lowest first) that a step's result consists of. `aliases`: other keys that lead to the
 * same result, of steps that read inputs by content: where an input came from, beside what it holds. Source: our own, in BuildKit's envelope.
 */
export interface PortableCache {
  records: readonly {
    key: Digest
    aliases: readonly Digest[]
    description: string
    createdAt: number
    layers: readonly Digest[]
  }[]
}

/** A place that a cache was imported from; layers are fetched when a key is found there. */
export interface ImportedCache {
  /** By key or alias; the answer has the key that steps above depend on. */
  find(key: Digest): { key: Digest; layers: readonly Digest[]; createdAt: number; description: string } | undefined
  /** Layers (by diff id) in the snapshotter, stacked. */
  fetch(layers: readonly Digest[], step: Step): Promise<LayerRef>
}
