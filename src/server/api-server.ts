/** Ties the route table to `node:http`: dispatch, the headers every answer has, errors, and the life of connections. */

import { createServer, type IncomingMessage, type Server, type ServerOptions, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { formatVersion, MAX_API_VERSION, MIN_API_VERSION, parseVersion } from '#api'
import { codeOf, invalidArgument } from '#errors'
import type { ApiServerDeps } from './backend.ts'
import { isTakenOver, passHead, takeOver, unwatchConnection, untouched, watchConnection } from './connection.ts'
import { HijackContext } from './hijack-context.ts'
import { messageOf, statusOf } from './http-status.ts'
import { RequestContext } from './request-context.ts'
import type { HijackRoute } from './route.ts'
import { createRouter, type RouteMatch } from './router.ts'
import { createRoutes } from './routes.ts'
import { dropRest } from './streams/request-body.ts'

export interface ApiServer {
  /**
   * Serves the API on `server`, which the caller listens with and may have made for TLS. Pass {@link API_SERVER_OPTIONS} to its
   * constructor: header sizes cannot be changed later.
   */
  attach(server: Server): void
  /**
   * Ends what waits (events, logs, wait …), closes hijacked connections and all servers. Resolves when no connection is left; what has
   * not ended after `grace` milliseconds is cut.
   */
  close(options?: { grace?: number }): Promise<void>
}

/** Long uploads and streams must not be timed out; X-Registry-Config of a build may be long. */
export const API_SERVER_OPTIONS: ServerOptions = {
  requestTimeout: 0,
  keepAliveTimeout: 0,
  headersTimeout: 60_000,
  maxHeaderSize: 1024 * 1024,
}

/** Milliseconds between looks for idle connections while closing. */
const IDLE_SWEEP = 20

/** Throws INVALID_ARGUMENT for a `minApiVersion` outside 1.24–1.55, in dockerd's words. */
export function createApiServer(deps: ApiServerDeps): ApiServer {
  const minVersion = readMinVersion(deps.minApiVersion)
  const router = createRouter(createRoutes(deps, minVersion), minVersion)
  const headers: Record<string, string> = {
    'Api-Version': formatVersion(MAX_API_VERSION),
    'Docker-Experimental': String(deps.experimental ?? false),
    Ostype: 'linux',
    Server: `Docker/${deps.serverVersion} (linux)`,
  }
  const shutdown = new AbortController()
  const servers = new Set<Server>()
  const hijacked = new Set<Duplex>()

  function report(request: IncomingMessage, error: unknown): void {
    // Without the query, in which there may be secrets: a URL to import from, arguments of a build.
    if (statusOf(error) === 500) deps.onInternalError?.(`${request.method} ${request.url?.split('?', 1)[0]}`, error)
  }

  function onRequest(request: IncomingMessage, response: ServerResponse): void {
    // What Node's parser still makes of a hijacked connection's bytes is no request.
    if (isTakenOver(request.socket)) return
    passHead(request)
    response.setHeaders(new Map(Object.entries(headers)))
    if (request.method === 'OPTIONS') return void response.writeHead(200, { 'Content-Length': 0 }).end()
    let match: RouteMatch
    try {
      match = router.match(request.method ?? '', request.url ?? '')
    } catch (error) {
      return sendError(response, error)
    }
    const { route } = match
    if ('hijack' in route) {
      const socket = takeOver(request)
      return queueMicrotask(() => void runHijack(route, request, socket, match, false))
    }
    void runPlain(match, request, response)
  }

  async function runPlain(match: RouteMatch, request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!('handle' in match.route)) return
    const context = new RequestContext(request, response, match, shutdown.signal)
    try {
      await match.route.handle(context)
    } catch (error) {
      if (context.isAborted) return void response.destroy()
      report(request, error)
      // Too late for a status: breaking the connection is the only way to say that the body is not whole.
      if (response.headersSent) response.destroy()
      else sendError(response, error)
    }
    dropRest(request)
  }

  async function runHijack(
    route: HijackRoute,
    request: IncomingMessage,
    socket: Duplex,
    match: RouteMatch,
    upgrade: boolean,
  ): Promise<void> {
    const context = new HijackContext(request, socket, match, { upgrade, headers })
    hijacked.add(socket)
    socket.once('close', () => hijacked.delete(socket))
    try {
      await route.hijack(context)
      context.finish()
    } catch (error) {
      report(request, error)
      if (context.answered) socket.destroy()
      else context.fail(error)
    }
  }

  /** `socket` is the connection itself, or, while the request's body is still coming in, a stream that begins behind it. */
  function onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    unwatchConnection(request.socket)
    socket.on('error', () => socket.destroy())
    if (head.length > 0) socket.unshift(head)
    const match = router.match(request.method ?? '', request.url ?? '')
    if ('hijack' in match.route) void runHijack(match.route, request, socket, match, true)
  }

  /** Prior knowledge: the client began with HTTP/2, on which there is gRPC and nothing else. */
  async function serveHttp2(socket: Socket): Promise<void> {
    hijacked.add(socket)
    socket.once('close', () => hijacked.delete(socket))
    try {
      await deps.buildkit.serve(() => untouched(socket))
    } catch (error) {
      deps.onInternalError?.('a connection with HTTP/2', error)
      socket.destroy()
    }
  }

  /** `Upgrade` on any other route is an offer that is declined by answering plainly (RFC 9110, 7.8). */
  function shouldUpgrade(request: IncomingMessage): boolean {
    try {
      return 'hijack' in router.match(request.method ?? '', request.url ?? '').route
    } catch {
      return false
    }
  }

  function onClientError(error: Error & { code?: string }, socket: Socket): void {
    if (isTakenOver(socket)) return
    if (!socket.writable || error.code === 'ECONNRESET') return void socket.destroy()
    const status = error.code === 'HPE_HEADER_OVERFLOW' ? '431 Request Header Fields Too Large' : '400 Bad Request'
    socket.end(`HTTP/1.1 ${status}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n${status}`)
  }

  return {
    attach(server) {
      servers.add(server)
      server.once('close', () => servers.delete(server))
      // A client may close its sending side and still want the answer; Go's server gives it.
      Object.assign(server, { httpAllowHalfOpen: true, shouldUpgradeCallback: shouldUpgrade })
      // With TLS the event `connection` gives the encrypted socket.
      server.on('setSecureContext' in server ? 'secureConnection' : 'connection', (socket: Socket) =>
        watchConnection(socket, (taken) => void serveHttp2(taken)),
      )
      server.on('request', onRequest)
      server.on('upgrade', onUpgrade)
      server.on('clientError', onClientError)
    },

    async close({ grace = 1000 } = {}) {
      shutdown.abort()
      const closed = [...servers].map((server) => new Promise<void>((resolve) => server.close(() => resolve())))
      // A connection that was busy a moment ago is idle now, and would be kept alive.
      const sweep = setInterval(() => {
        for (const server of servers) server.closeIdleConnections()
      }, IDLE_SWEEP)
      for (const socket of hijacked) socket.end()
      const cut = setTimeout(() => {
        for (const server of servers) server.closeAllConnections()
        for (const socket of hijacked) socket.destroy()
      }, grace)
      await Promise.all(closed)
      clearInterval(sweep)
      clearTimeout(cut)
    },
  }
}

/** A plain HTTP server with the right options and the API on it. */
export function createHttpServer(api: ApiServer): Server {
  const server = createServer(API_SERVER_OPTIONS)
  api.attach(server)
  return server
}

function sendError(response: ServerResponse, error: unknown): void {
  if (response.destroyed) return
  const status = statusOf(error)
  if (codeOf(error) === 'NOT_MODIFIED') return void response.writeHead(304).end()
  const bytes = Buffer.from(`${JSON.stringify({ message: messageOf(error) })}\n`)
  response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': bytes.length })
  response.end(bytes)
}

function readMinVersion(text: string | undefined): number {
  if (text === undefined) return MIN_API_VERSION
  const version = parseVersion(text)
  if (version === undefined || version < MIN_API_VERSION || version > MAX_API_VERSION) {
    throw invalidArgument(
      `invalid minimum API version (${text}): must be between ${formatVersion(MIN_API_VERSION)} and ${formatVersion(MAX_API_VERSION)}`,
    )
  }
  return version
}
