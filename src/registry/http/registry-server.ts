import { createServer, type IncomingMessage, type Server, type ServerOptions, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Dispatcher } from './dispatcher.ts'

export interface HttpLimits {
  /** Milliseconds for the headers of a request. Default: 30 s. */
  headersTimeout?: number
  /** Milliseconds without a byte on a connection while the server waits for the client: bodies, answers. Default: 60 s. */
  idleTimeout?: number
  /** Milliseconds that a connection is kept without a request. Default: 75 s. */
  keepAliveTimeout?: number
  /** Bytes of request line and headers. Default: 64 KiB; tokens are long. */
  maxHeaderSize?: number
}

const DEFAULTS: Required<HttpLimits> = {
  headersTimeout: 30_000,
  idleTimeout: 60_000,
  keepAliveTimeout: 75_000,
  maxHeaderSize: 64 * 1024,
}

/** Milliseconds between looks for idle connections while closing. */
const IDLE_SWEEP = 20

export interface RegistryServer {
  /** Serves on a server of `node:http` or `node:https` made with {@link serverOptions}; the caller listens with it. */
  attach(server: Server): void
  /** Ends all servers. Resolves when no connection is left; what is not answered after `grace` milliseconds is cut. */
  close(options?: { grace?: number }): Promise<void>
}

/** For the constructor of a server: header sizes cannot be changed later. */
export function serverOptions(limits: HttpLimits = {}): ServerOptions {
  const { headersTimeout, keepAliveTimeout, maxHeaderSize } = { ...DEFAULTS, ...limits }
  return {
    headersTimeout,
    keepAliveTimeout,
    maxHeaderSize,
    // A layer takes as long as it takes; silence is what ends it.
    requestTimeout: 0,
    connectionsCheckingInterval: Math.min(headersTimeout, 5000),
  }
}

export function createRegistryServer(dispatcher: Dispatcher, limits: HttpLimits = {}): RegistryServer {
  const { idleTimeout } = { ...DEFAULTS, ...limits }
  const servers = new Set<Server>()
  let isClosing = false

  function serve(request: IncomingMessage, response: ServerResponse, expectsContinue: boolean): void {
    if (isClosing) response.setHeader('Connection', 'close')
    void dispatcher.dispatch(request, response, expectsContinue)
  }

  function onIdle(socket: Socket): void {
    for (const exchange of dispatcher.open) if (exchange.request.socket === socket && exchange.isBusy) return
    socket.destroy()
  }

  return {
    attach(server) {
      servers.add(server)
      server.once('close', () => servers.delete(server))
      server.setTimeout(idleTimeout, onIdle)
      server.on('request', (request, response) => serve(request, response, false))
      server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => serve(request, response, true))
      server.on('clientError', onClientError)
    },

    async close({ grace = 5000 } = {}) {
      isClosing = true
      const closed = [...servers].map((server) => new Promise<void>((resolve) => server.close(() => resolve())))
      // A connection that was busy a moment ago is idle now, and would be kept alive.
      const sweep = setInterval(() => servers.forEach((server) => server.closeIdleConnections()), IDLE_SWEEP)
      const cut = setTimeout(() => servers.forEach((server) => server.closeAllConnections()), grace)
      await Promise.all(closed)
      clearInterval(sweep)
      clearTimeout(cut)
    },
  }
}

export function createPlainServer(registry: RegistryServer, limits?: HttpLimits): Server {
  const server = createServer(serverOptions(limits))
  registry.attach(server)
  return server
}

/** What is not HTTP, or too long, or too slow. */
function onClientError(error: Error & { code?: string }, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') return void socket.destroy()
  const status = STATUS_OF[error.code ?? ''] ?? '400 Bad Request'
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
}

const STATUS_OF: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
}
