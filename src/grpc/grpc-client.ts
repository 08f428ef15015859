import { connect, type ClientHttp2Session } from 'node:http2'
import type { Duplex } from 'node:stream'
import { createGrpcTransport, type Transport } from './library.ts'
import { spreadMetadata } from './metadata.ts'
import { MAX_MESSAGE, raiseWindow, SESSION_OPTIONS } from './settings.ts'

/** A connection on which we call. */
export interface GrpcConnection {
  /** For `createClient(Service, transport)`. */
  readonly transport: Transport
  /** Aborts when the connection has ended, for whatever reason. */
  readonly closed: AbortSignal
  close(): void
}

const AUTHORITY = 'http://localhost'

/** Calls over `socket`, which belongs to the connection from now on; the peer serves HTTP/2 on it at once. */
export function connectGrpc(socket: Duplex): GrpcConnection {
  const ended = new AbortController()
  const session = connect(AUTHORITY, { ...SESSION_OPTIONS, createConnection: () => socket })
  session.once('connect', () => raiseWindow(session))
  session.on('error', () => ended.abort())
  session.once('close', () => ended.abort())
  socket.once('close', () => ended.abort())
  const transport = createGrpcTransport({
    baseUrl: AUTHORITY,
    acceptCompression: [],
    readMaxBytes: MAX_MESSAGE,
    writeMaxBytes: MAX_MESSAGE,
    sessionManager: singleSession(session),
  })
  return {
    transport,
    closed: ended.signal,
    close() {
      session.destroy()
      socket.destroy()
      ended.abort()
    },
  }
}

/** The library's own manager connects again, pings, and closes what is idle; this connection can only live once. */
function singleSession(session: ClientHttp2Session): NonNullable<Parameters<typeof createGrpcTransport>[0]['sessionManager']> {
  return {
    authority: AUTHORITY,
    async request(method, path, headers, options) {
      return session.request({ ...spreadMetadata(headers), ':method': method, ':path': path }, options)
    },
    notifyResponseByteRead() {},
  }
}
