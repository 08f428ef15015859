import type { FrontendProtocol } from '#build'
import { ConnectError, create, createGrpcServer, gateway, health, ops } from '#grpc'
import { describeBuildError } from '../build-errors.ts'
import { ClientBuild } from '../client-build.ts'
import { returnedError } from '../returned-error.ts'
import { workersJson } from '../worker-record.ts'
import { bridgeService } from './bridge.ts'
import type { ServiceContext } from './context.ts'

/** Named in texts of frontends about what their builder cannot do. */
const PRODUCT = 'gantry'

/** At a time: what such a program sends is held by the daemon, and it is whoever writes a Dockerfile that chooses the program. */
const MAX_CALLS = 100

/**
 * LLBBridge for frontends that are programs: the same service as for clients, on a connection that is about one build only. Source: moby/buildkit
 * frontend/gateway/gateway.go.
 */
export function createFrontendProtocol(context: ServiceContext): FrontendProtocol {
  const { builds, refs, worker, platform } = context
  return {
    environment: () => [`BUILDKIT_WORKERS=${workersJson(worker, builds)}`, `BUILDKIT_EXPORTEDPRODUCT=${PRODUCT}`],

    serve(connection, { build, session, inputs }) {
      const kept = Object.entries(inputs).map(([name, edge]) => [name, refs.keep(edge, session, platform)] as const)
      const definitions = kept.flatMap(([name, { def }]) => (def === undefined ? [] : [[name, create(ops.DefinitionSchema, def)] as const]))
      const frontend = new ClientBuild(build, session, Object.fromEntries(definitions))
      const server = createGrpcServer({
        routes(router) {
          router.service(
            gateway.LLBBridge,
            bridgeService(context, () => Promise.resolve(frontend)),
          )
          router.service(health.Health, { check: () => ({ status: health.HealthCheckResponse_ServingStatus.SERVING }) })
        },
        describeError: describeBuildError,
        maxCalls: MAX_CALLS,
      })
      server.serve(connection)
      return {
        returned() {
          const { returned } = frontend
          if (!(returned instanceof Error)) return returned
          return returnedError(ConnectError.from(returned), frontend.failedSteps)
        },
        async [Symbol.asyncDispose]() {
          server.close()
          await frontend[Symbol.asyncDispose]()
          refs.retire([...kept.map(([, { id }]) => id ?? ''), ...frontend.given.map(({ ref }) => ref)])
        },
      }
    },
  }
}
