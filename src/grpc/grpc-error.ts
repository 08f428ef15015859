/** Errors on their way through gRPC: codes of the engine and of gRPC, and details that Go programs take apart. */

import { EngineError, type ErrorCode } from '#errors'
import { Code, ConnectError, create, fromBinary, status as schemas, toBinary } from './library.ts'

/** One detail: its type by URL, and bytes in whatever form that type has. */
export interface ErrorDetail {
  readonly type: string
  readonly value: Uint8Array
}

/** INTERNAL is `unknown`, as errors of Go programs that say nothing about themselves are. */
const GRPC_CODES: Readonly<Record<ErrorCode, Code>> = {
  INVALID_ARGUMENT: Code.InvalidArgument,
  UNAUTHORIZED: Code.Unauthenticated,
  FORBIDDEN: Code.PermissionDenied,
  NOT_FOUND: Code.NotFound,
  CONFLICT: Code.AlreadyExists,
  NOT_MODIFIED: Code.FailedPrecondition,
  NOT_IMPLEMENTED: Code.Unimplemented,
  UNAVAILABLE: Code.Unavailable,
  CANCELLED: Code.Canceled,
  RESOURCE_EXHAUSTED: Code.ResourceExhausted,
  DATA_LOSS: Code.DataLoss,
  INTERNAL: Code.Unknown,
}

const ENGINE_CODES: ReadonlyMap<Code, ErrorCode> = new Map(Object.entries(GRPC_CODES).map(([engine, grpc]) => [grpc, engine as ErrorCode]))

const CODES_BY_NUMBER: ReadonlyMap<number, Code> = new Map(
  Object.values(Code).flatMap((code) => (typeof code === 'number' ? [[code, code]] : [])),
)

const URL_PREFIX = 'type.googleapis.com/'
const DETAILS_HEADER = 'grpc-status-details-bin'

/** What a served call answers with when `error` was thrown. The text is the error's own. */
export function toGrpcError(error: unknown, details: readonly ErrorDetail[] = []): ConnectError {
  if (error instanceof ConnectError) return error
  const code = error instanceof EngineError ? GRPC_CODES[error.code] : Code.Unknown
  return grpcError(code, error instanceof Error ? error.message : String(error), details, error)
}

/** The engine's idea of what a call threw. `what` goes before the text. */
export function fromGrpcError(error: unknown, what?: string): EngineError {
  if (error instanceof EngineError) return error
  const failure = ConnectError.from(error)
  const text = what === undefined ? failure.rawMessage : `${what}: ${failure.rawMessage}`
  return new EngineError(ENGINE_CODES.get(failure.code) ?? 'INTERNAL', text, { cause: error })
}

/** An error as a message. */
export function toStatus(error: ConnectError): schemas.Status {
  const details = error.details.flatMap((detail) => ('type' in detail ? [{ typeUrl: fullUrl(detail.type), value: detail.value }] : []))
  return create(schemas.StatusSchema, { code: error.code, message: error.rawMessage, details })
}

export function fromStatus(status: schemas.Status): ConnectError {
  const details = status.details.map(({ typeUrl, value }) => ({ type: typeUrl, value }))
  return grpcError(CODES_BY_NUMBER.get(status.code) ?? Code.Unknown, status.message, details)
}

/** Whether the other side does not know the call at all. */
export function isUnimplemented(error: unknown): boolean {
  return error instanceof ConnectError && error.code === Code.Unimplemented
}

/**
 * The library puts its own prefix before each type of a detail; containerd's types (`github.com/…`) have URLs of their own, and are not found with it.
 */
export function repairDetails(trailer: Headers): void {
  const encoded = trailer.get(DETAILS_HEADER)
  if (encoded === null) return
  const status = fromBinary(schemas.StatusSchema, Buffer.from(encoded, 'base64'))
  for (const detail of status.details) {
    const type = detail.typeUrl.startsWith(URL_PREFIX) ? detail.typeUrl.slice(URL_PREFIX.length) : detail.typeUrl
    detail.typeUrl = fullUrl(type)
  }
  trailer.set(DETAILS_HEADER, Buffer.from(toBinary(schemas.StatusSchema, status)).toString('base64').replaceAll('=', ''))
}

function fullUrl(type: string): string {
  return type.includes('/') ? type : URL_PREFIX + type
}

function grpcError(code: Code, message: string, details: readonly ErrorDetail[], cause?: unknown): ConnectError {
  const error = new ConnectError(message, code, undefined, undefined, cause)
  error.details = details.map(({ type, value }) => ({ type: type.startsWith(URL_PREFIX) ? type.slice(URL_PREFIX.length) : type, value }))
  return error
}
