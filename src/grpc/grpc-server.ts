import { createServer, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2'
import type { Duplex } from 'node:stream'
import { endWithPeer, written } from './given-socket.ts'
import { repairDetails, toGrpcError } from './grpc-error.ts'
import {
  createConnectRouter,
  createContextValues,
  universalRequestFromNodeRequest,
  universalResponseToNodeResponse,
  type ConnectError,
  type ConnectRouter,
  type Interceptor,
  type UniversalHandler,
} from './library.ts'
import { fixAuthority, METADATA, parseMetadata } from './metadata.ts'
import { MAX_MESSAGE, raiseWindow, SESSION_OPTIONS } from './settings.ts'

export interface GrpcServer {
  /** Answers calls on a connection whose first byte is still to come: the peer opens with HTTP/2's preface. The socket belongs to the server. */
  serve(socket: Duplex): void
  /** Cuts all connections. */
  close(): void
}

export interface GrpcServerOptions {
  routes: (router: ConnectRouter) => void
  /** What is answered for an error that a service threw. */
  describeError?: (error: unknown) => ConnectError
  /** Calls at a time on one connection, more wait with the peer; unlimited when left out. Each may have the server hold one message. */
  maxCalls?: number
}

/** Services without a listener: the sockets come from elsewhere. */
export function createGrpcServer({ routes, describeError = toGrpcError, maxCalls }: GrpcServerOptions): GrpcServer {
  const router = createConnectRouter({
    connect: false,
    grpcWeb: false,
    acceptCompression: [],
    readMaxBytes: MAX_MESSAGE,
    writeMaxBytes: MAX_MESSAGE,
    interceptors: [translateErrors(describeError)],
  })
  routes(router)
  const handlers = new Map(router.handlers.map((handler) => [handler.requestPath, handler]))
  const sockets = new Set<Duplex>()
  const settings = { ...SESSION_OPTIONS.settings, ...(maxCalls !== undefined && { maxConcurrentStreams: maxCalls }) }
  const server = createServer({ ...SESSION_OPTIONS, settings }, (request, response) => {
    const handler = handlers.get(request.url)
    if (handler === undefined) refuse(response)
    // What fails here is the connection: the peer has gone, and there is nobody to tell.
    else answer(handler, request, response).catch(() => response.stream.destroy())
  })
  server.on('session', raiseWindow)
  server.on('sessionError', () => {})
  return {
    serve(socket) {
      sockets.add(socket)
      socket.once('close', () => sockets.delete(socket))
      endWithPeer(socket)
      // With TLS Node answers 403 where the handshake has not agreed on HTTP/2; here it was agreed on by an upgrade, or by the preface.
      if ('alpnProtocol' in socket) socket.alpnProtocol = 'h2'
      void written(socket).then(() => server.emit('connection', socket))
    },
    close() {
      for (const socket of sockets) socket.destroy()
    },
  }
}

async function answer(handler: UniversalHandler, request: Http2ServerRequest, response: Http2ServerResponse): Promise<void> {
  fixAuthority(request.headers)
  const values = createContextValues().set(METADATA, parseMetadata(request.rawHeaders))
  const result = await handler(universalRequestFromNodeRequest(request, response, undefined, values))
  const { body, trailer } = result
  if (body === undefined || body instanceof Uint8Array || trailer === undefined) return universalResponseToNodeResponse(result, response)
  await universalResponseToNodeResponse({ ...result, body: withEnd(body, () => repairDetails(trailer)) }, response)
}

/** Trailers are known when the body has ended. */
async function* withEnd(body: AsyncIterable<Uint8Array>, end: () => void): AsyncGenerator<Uint8Array> {
  yield* body
  end()
}

/** An error in headers alone, as gRPC's servers answer calls that they do not know: a bare 404 would be another error for some clients. */
function refuse(response: Http2ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/grpc', 'grpc-status': '12', 'grpc-message': 'unknown service or method' })
  response.end()
}

function translateErrors(describe: (error: unknown) => ConnectError): Interceptor {
  return (next) => async (request) => {
    try {
      const response = await next(request)
      return response.stream ? { ...response, message: translated(response.message, describe) } : response
    } catch (error) {
      throw describe(error)
    }
  }
}

async function* translated<T>(messages: AsyncIterable<T>, describe: (error: unknown) => ConnectError): AsyncGenerator<T> {
  try {
    yield* messages
  } catch (error) {
    throw describe(error)
  }
}
