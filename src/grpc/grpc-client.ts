import { connect, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2'
import { PassThrough, type Duplex } from 'node:stream'
import { endWithPeer, written } from './given-socket.ts'
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
  endWithPeer(socket)
  socket.once('close', () => ended.abort())
  const opening = openSession(socket, () => ended.abort())
  opening.catch(() => socket.destroy())
  const transport = createGrpcTransport({
    baseUrl: AUTHORITY,
    acceptCompression: [],
    readMaxBytes: MAX_MESSAGE,
    writeMaxBytes: MAX_MESSAGE,
    sessionManager: singleSession(opening),
  })
  return {
    transport,
    closed: ended.signal,
    close() {
      ended.abort()
      void opening.then((session) => session.destroy()).finally(() => socket.destroy())
    },
  }
}

async function openSession(socket: Duplex, ended: () => void): Promise<ClientHttp2Session> {
  await written(socket)
  const session = connect(AUTHORITY, { ...SESSION_OPTIONS, createConnection: () => socket })
  session.once('connect', () => raiseWindow(session))
  session.on('error', ended)
  session.once('close', ended)
  return session
}

/**
 * The library begins to read an answer when its headers have come. By then its last frame may have come, too, and from that moment on Node 26 takes an iterator
 * over the stream for one that was cut off: `closed` of an HTTP/2 stream is about frames, not about what has been read. So the answer is read from the start
 * on, into a stream that knows no frames.
 */
function readFromTheStart(stream: ClientHttp2Stream): ClientHttp2Stream {
  const answer = stream.pipe(new PassThrough())
  stream.once('close', () => {
    if (!stream.readableEnded) answer.destroy()
  })
  return Object.defineProperty(stream, Symbol.asyncIterator, { value: () => answer[Symbol.asyncIterator]() })
}

/** The library's own manager connects again, pings, and closes what is idle; this connection can only live once. */
function singleSession(opening: Promise<ClientHttp2Session>): NonNullable<Parameters<typeof createGrpcTransport>[0]['sessionManager']> {
  return {
    authority: AUTHORITY,
    async request(method, path, headers, options) {
      const session = await opening
      return readFromTheStart(session.request({ ...spreadMetadata(headers), ':method': method, ':path': path }, options))
    },
    notifyResponseByteRead() {},
  }
}
