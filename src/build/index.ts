/**
 * Builds: Dockerfiles and other graphs become file systems and images.
 *
 * A client starts a *build* and drives it. A *frontend* (`frontend/`) reads the Dockerfile and gives a *graph* (`graph/`) of *vertices*, operations on file
 * systems; it is built in, or a program in an image (`frontend-image/`). The *solver* (`solver/`) makes true what is asked for: it finds results in the
 * *cache* (`cache/`), fetches *sources* (`sources/`) as far as the client's *policy* (`policies/`) lets it, runs programs (`run/`), with *devices* (`devices/`)
 * that the client allows, and copies files (`files/`). *Exporters* (`export/`) give results away, and read and write caches elsewhere. Both doors, the classic
 * `POST /build` (`classic/`) and BuildKit's gRPC (`#buildkit`), use this one service.
 *
 * Lifecycle of a build: `start` takes a lease; `solve` runs a frontend, which asks for images' configs and files by the same solver; `finish` solves the
 * result, exports it and ends the build. `end`, a session that closes and the caller's signal end it at any moment: steps are aborted unless another build waits
 * for them. Events are kept for readers who come late, also for a while after the end.
 *
 * Lifecycle of a result: a step's layers are *drafts*, held by the step's lease, then by the cache record, and by the lease of each build that uses them.
 * Layers that no record, image or lease names are collected. Records go by rules (`cache/collection-rules.ts`) or by `prune`.
 *
 * Glossary: *vertex*, one operation and its inputs; *edge*, one of the file systems that a vertex gives; *step*, a vertex that is carried out, perhaps for
 * several builds; *ref*, a file system that is there; *definition key*, *content key*: see `docs/build.md`; *portable key*, a key without the chance of
 * `--no-cache`, the same on all machines; *session*, what the client of a build can be asked for; *pin*, a record's being in use by a build; *statement*, what
 * the engine (*provenance*) or a *scanner* (a bill of materials) says about an image.
 *
 * ```ts
 * const builder = createBuilder({ metadata, content, snapshotter, images, runtime, networks, … })
 * await builder.restoreSteps() // before layers and networks are restored
 * await builder.restore()      // after
 * const build = builder.service.start({ id: 'b1', session, entitlements: new Set(), cacheImports: [] })
 * const result = await build.solve({ frontend: 'dockerfile.v0', options: { target: 'app' }, inputs: {}, evaluate: false })
 * const answer = await build.finish(result, [{ type: 'moby', attributes: { name: 'app:1' }, id: '' }], [])
 * answer['containerimage.config.digest'] // the image's id
 * ```
 */
export type { ClassicBuilder, ClassicRequest, SessionRequest } from './classic/types.ts'
export { type ClassicBuilderDeps, createClassicBuilder } from './classic/classic-builder.ts'
export { BuildError, type BuildErrorFacts } from './build-error.ts'
export { createBuilder, type Builder, type BuilderDeps, type BuilderPaths } from './create-builder.ts'
export type { BuildSettings } from './build-deps.ts'
export { defaultRules } from './cache/collection-rules.ts'
export { vertex } from './graph/digest.ts'
export type {
  BindMount,
  CacheMount,
  CopyAction,
  DiffOp,
  Edge,
  ExecOp,
  FileAction,
  FileOp,
  GitSource,
  HttpSource,
  ImageSource,
  InputIndex,
  LayoutSource,
  LocalSource,
  MergeOp,
  Mount,
  Op,
  Owner,
  SecretMount,
  SourceFile,
  SourceOp,
  SourceRange,
  SshMount,
  StepLimits,
  TmpfsMount,
  Vertex,
  VertexMeta,
} from './graph/types.ts'
export type { BuildDevice } from './devices/build-device.ts'
export type { FrontendProtocol, ReturnedError, ServedFrontend, ServedRequest } from './frontend-image/types.ts'
export type { SourcePolicy } from './policies/types.ts'
export type { SourceAddress } from './graph/source-address.ts'
export type { BuildEvent, LogEvent, StatusEvent, VertexEvent, WarningEvent } from './progress.ts'
export type { BuildSession, ClientStore, DirectoryTransfer, ExportTarget, FileStat, SyncRequest } from './session.ts'
export type { CacheFilters, CacheRecordInfo, CollectionRule, PruneOptions } from './cache/types.ts'
export type {
  Build,
  BuildImage,
  BuildOptions,
  BuildResult,
  BuildService,
  BuildWarning,
  CacheLocation,
  DebugContainer,
  DebugContainerRequest,
  DebugProcess,
  DrivenBuild,
  Entitlement,
  ExportRequest,
  FailedStep,
  FrontendRequest,
  ImageProvenance,
  ImageRequest,
  ResolvedImage,
} from './types.ts'
