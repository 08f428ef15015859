import type { Duplex } from 'node:stream'
import type { BuildEvent, BuildService, BuildSession, FrontendProtocol, vertex } from '#build'
import { content, control, createGrpcServer, gateway, health, trace, type ConnectRouter } from '#grpc'
import type { Platform } from '#oci'
import { describeBuildError } from './build-errors.ts'
import { createClientBuilds } from './client-build.ts'
import { BuildHistory, type BuildHistoryDeps } from './history/build-history.ts'
import { HistoryBlobs } from './history/history-blobs.ts'
import { ResultRefs } from './llb/result-refs.ts'
import { RefusedBuilds } from './refused-builds.ts'
import { bridgeService } from './services/bridge.ts'
import { contentService, type ReadableContent } from './services/content-service.ts'
import { clientBuildOf, type ServiceContext } from './services/context.ts'
import { controlService } from './services/control.ts'
import { createFrontendProtocol } from './services/frontend-protocol.ts'
import type { SessionHello } from './session/client-session.ts'
import { Sessions } from './sessions.ts'
import { encodeTrace } from './status-response.ts'
import type { WorkerFacts } from './worker-record.ts'

export interface BuildkitDoorDeps {
  builds: BuildService
  content: ReadableContent
  /** Makes a vertex of the build graph. */
  makeVertex: typeof vertex
  /** For definitions that name no platform. */
  platform: Platform
  worker: WorkerFacts
  /** `directory`: where logs and provenance of builds are kept; made when it is absent. */
  history: Pick<BuildHistoryDeps, 'rows' | 'report'> & { directory: string }
}

/** BuildKit's services over the engine's builds. */
export interface BuildkitDoor {
  /** Answers gRPC on a connection whose first byte is still to come. */
  serve(socket: Duplex): void
  /** A session on the socket that `accept` gives. Throws CONFLICT, before `accept`, for an id in use. */
  openSession(accept: () => Duplex, hello: SessionHello): void
  /** A session that is there, or comes soon. Throws NOT_FOUND. */
  session(id: string, signal: AbortSignal): Promise<BuildSession>
  /** Events as an encoded StatusResponse. */
  encodeTrace(events: readonly BuildEvent[]): Uint8Array
  /** For frontends that are programs. */
  readonly frontendProtocol: FrontendProtocol
  /** Cuts all connections; builds of these clients end. */
  close(): void
}

export function createBuildkitDoor({ builds, content: store, makeVertex, platform, worker, history }: BuildkitDoorDeps): BuildkitDoor {
  const historyBlobs = new HistoryBlobs(history.directory)
  const sessions = new Sessions()
  const context: ServiceContext = {
    builds,
    sessions,
    clientBuilds: createClientBuilds(),
    refs: new ResultRefs(makeVertex),
    history: new BuildHistory({ ...history, builds, blobs: historyBlobs }),
    refused: new RefusedBuilds(),
    worker,
    makeVertex,
    platform,
  }
  const routes = (router: ConnectRouter): void => {
    router.service(control.Control, controlService(context))
    router.service(
      gateway.LLBBridge,
      bridgeService(context, (call) => clientBuildOf(context, call)),
    )
    router.service(content.Content, contentService(store, historyBlobs))
    router.service(health.Health, { check: () => ({ status: health.HealthCheckResponse_ServingStatus.SERVING }) })
    router.service(trace.TraceService, { export: () => ({}) })
  }
  const server = createGrpcServer({ routes, describeError: describeBuildError })
  return {
    serve: (socket) => server.serve(socket),
    openSession: (accept, hello) => void sessions.open(accept, hello),
    session: (id, signal) => sessions.wait(id, signal),
    encodeTrace,
    frontendProtocol: createFrontendProtocol(context),
    close() {
      server.close()
      sessions.close()
    },
  }
}
