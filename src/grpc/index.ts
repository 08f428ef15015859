/**
 * gRPC: messages and services of BuildKit's world, and how to speak them over a socket that is already there.
 *
 * The messages are generated from `proto/` (`node tools/gen-grpc.ts`), which holds what Gantry needs of moby/buildkit, containerd and fsutil, in our own
 * words; what goes over the wire is theirs. Each file of it is one namespace here.
 *
 * Life: a socket on which HTTP/2 is about to be spoken (after an upgrade, or from its first byte on) is either served (`createGrpcServer`, `serve`) or called
 * on (`connectGrpc`). Which of the two says nothing about who opened it: with `POST /session` the daemon calls and the client serves.
 *
 * Loading it costs some 50 ms, so whoever may do without imports it lazily, when it is needed (docs/adr/0010). `library.ts` alone imports `@connectrpc/*` and
 * `@bufbuild/*`.
 *
 * ```ts
 * const server = createGrpcServer({ routes: (router) => router.service(health.Health, { check: () => ({}) }) })
 * server.serve(socket)
 * // at the other end
 * const connection = connectGrpc(peer)
 * await createClient(health.Health, connection.transport).check({})
 * ```
 */

export {
  caps,
  Code,
  ConnectError,
  content,
  control,
  create,
  createClient,
  filesync,
  fromBinary,
  fromJson,
  fsutil,
  gateway,
  health,
  ops,
  policy,
  secrets,
  sshforward,
  status,
  toBinary,
  toJson,
  trace,
  upload,
  worker,
  type Client,
  type ConnectRouter,
  type HandlerContext,
  type JsonValue,
  type MessageInitShape,
  type ServiceImpl,
  type Transport,
} from './library.ts'
export { connectGrpc, type GrpcConnection } from './grpc-client.ts'
export { fromGrpcError, fromStatus, isUnimplemented, toGrpcError, toStatus, type ErrorDetail } from './grpc-error.ts'
export { createGrpcServer, type GrpcServer, type GrpcServerOptions } from './grpc-server.ts'
export { metadataHeaders, metadataOf, type Metadata } from './metadata.ts'
export { MAX_MESSAGE } from './settings.ts'
