/**
 * Builds: Dockerfiles and other definitions become file systems and images.
 *
 * A client starts a *build* and drives it: a *frontend* reads the Dockerfile and gives a graph of *vertices*, the *solver* makes true what is asked for, and
 * *exporters* give it away. Both doors (the classic `POST /build` and BuildKit's gRPC) use the same service.
 */
export type { ClassicBuilder, ClassicRequest, SessionRequest } from './classic/types.ts'
export { type ClassicBuilderDeps, createClassicBuilder } from './classic/classic-builder.ts'
export { BuildError, type BuildErrorFacts } from './build-error.ts'
export { solveDockerfile } from './frontend/solve-dockerfile.ts'
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
  SourceRange,
  SshMount,
  StepLimits,
  TmpfsMount,
  Vertex,
  VertexMeta,
} from './graph/types.ts'
export type { BuildEvent, LogEvent, StatusEvent, VertexEvent, WarningEvent } from './progress.ts'
export type { BuildSession, ClientStore, DirectoryTransfer, ExportTarget, FileStat, SyncRequest } from './session.ts'
export type {
  Build,
  BuildImage,
  BuildOptions,
  BuildResult,
  BuildService,
  BuildWarning,
  CacheFilters,
  CacheLocation,
  CacheRecordInfo,
  CollectionRule,
  DebugContainer,
  DebugContainerRequest,
  DebugProcess,
  Entitlement,
  ExportRequest,
  FailedStep,
  ImageRequest,
  PruneOptions,
  ResolvedImage,
} from './types.ts'
