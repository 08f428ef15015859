/**
 * Builds: Dockerfiles and other definitions become file systems and images.
 *
 * A client starts a *build* and drives it: a *frontend* reads the Dockerfile and gives a graph of *vertices*, the *solver* makes true what is asked for, and
 * *exporters* give it away. Both doors (the classic `POST /build` and BuildKit's gRPC) use the same service.
 */
export type { ClassicBuilder, ClassicRequest, SessionRequest } from './classic/types.ts'
export { type ClassicBuilderDeps, createClassicBuilder } from './classic/classic-builder.ts'
export type { BuildService, CacheLocation, ExportRequest } from './types.ts'
