/**
 * What comes from outside: the libraries and the messages generated for them. A file of its own because it becomes a bundle of its own (tools/build.ts), loaded
 * with the first gRPC connection: it costs some 50 ms, and holds no class of ours, of which there may be only one.
 */

export { create, fromBinary, fromJson, toBinary, toJson, type JsonValue, type MessageInitShape } from '@bufbuild/protobuf'
export {
  Code,
  ConnectError,
  createClient,
  createConnectRouter,
  createContextKey,
  createContextValues,
  type Client,
  type ConnectRouter,
  type ContextKey,
  type HandlerContext,
  type Interceptor,
  type ServiceImpl,
  type Transport,
} from '@connectrpc/connect'
export { createGrpcTransport, universalRequestFromNodeRequest, universalResponseToNodeResponse } from '@connectrpc/connect-node'
export type { UniversalHandler } from '@connectrpc/connect/protocol'

export * as caps from './generated/caps_pb.js'
export * as content from './generated/content_pb.js'
export * as control from './generated/control_pb.js'
export * as filesync from './generated/filesync_pb.js'
export * as fsutil from './generated/fsutil_pb.js'
export * as gateway from './generated/gateway_pb.js'
export * as health from './generated/health_pb.js'
export * as ops from './generated/ops_pb.js'
export * as policy from './generated/policy_pb.js'
export * as secrets from './generated/secrets_pb.js'
export * as sshforward from './generated/sshforward_pb.js'
export * as status from './generated/status_pb.js'
export * as trace from './generated/trace_pb.js'
export * as upload from './generated/upload_pb.js'
export * as worker from './generated/worker_pb.js'
