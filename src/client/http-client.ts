import { Connection, type HijackedStream, type HttpRequest, type HttpResponse } from './connection.ts'
import type { Endpoint } from './endpoint.ts'
import { ConnectionError } from './errors.ts'
import { openTransport } from './transport.ts'

/** Connections to one endpoint: idle ones are used again, a new one is opened when all are busy. */
export interface HttpClient {
  request(request: HttpRequest): Promise<HttpResponse>
  /** A request after which the connection belongs to the caller. `refusal` turns another answer than 101 or 200 into an error. */
  hijack(request: HttpRequest, refusal: (response: HttpResponse) => Promise<never>): Promise<HijackedStream>
  /** Opens `count` connections ahead, so that requests that will be made together need not wait for them. */
  warm(count: number): void
  /** Closes everything, busy or idle. */
  close(): void
}

export function createHttpClient(endpoint: Endpoint): HttpClient {
  const idle: Connection[] = []
  const all = new Set<Connection>()

  async function connect(request: HttpRequest | undefined): Promise<Connection> {
    const connection = new Connection(await openTransport(endpoint), (error, refused) => describeFailure(endpoint, request, error, refused))
    all.add(connection)
    return connection
  }

  function takeIdle(): Connection | undefined {
    for (;;) {
      const connection = idle.pop()
      if (connection === undefined || !connection.closed) return connection
      all.delete(connection)
    }
  }

  return {
    async request(request) {
      const reused = takeIdle()
      const release = (connection: Connection): void => void idle.push(connection)
      if (reused === undefined) return (await connect(request)).request(request, release)
      try {
        return await reused.request(request, release)
      } catch (error) {
        // The daemon may close an idle connection just as we use it. Repeating is safe only when the request changes nothing.
        const repeatable = request.method === 'GET' || request.method === 'HEAD'
        if (!repeatable || !(error instanceof ConnectionError)) throw error
        return (await connect(request)).request(request, release)
      }
    },
    async hijack(request, refusal) {
      const connection = takeIdle() ?? (await connect(request))
      return connection.hijack(request, refusal)
    },
    warm(count) {
      // A connection that cannot even be tried (an unusable certificate) fails again, in words, with the first request.
      for (let index = 0; index < count; index++)
        connect(undefined).then(
          (connection) => idle.push(connection),
          () => {},
        )
    },
    close() {
      for (const connection of all) connection.close()
      all.clear()
      idle.length = 0
    },
  }
}

/** Docker's words for a connection that failed. Source: moby `client/request.go` and `client/errors.go`. */
function describeFailure(endpoint: Endpoint, request: HttpRequest | undefined, error: Error, refused: boolean): Error {
  if (error instanceof ConnectionError) return error
  const code = (error as NodeJS.ErrnoException).code
  if (refused && (code === 'ENOENT' || code === 'ECONNREFUSED' || code === 'ETIMEDOUT')) {
    return new ConnectionError(`Cannot connect to the Docker daemon at ${endpoint.text}. Is the docker daemon running?`, true, error)
  }
  const method = request === undefined ? 'Get' : `${request.method.charAt(0)}${request.method.slice(1).toLowerCase()}`
  const story = `${method} "${urlText(endpoint, request)}": ${reason(endpoint, error, code)}`
  if (code === 'EACCES') {
    return new ConnectionError(
      `permission denied while trying to connect to the Docker daemon socket at ${endpoint.text}: ${story}`,
      true,
      error,
    )
  }
  return new ConnectionError(`error during connect: ${story}`, refused, error)
}

/** How Go's HTTP client names the address: the path of a unix socket is percent-encoded as the host. */
function urlText(endpoint: Endpoint, request: HttpRequest | undefined): string {
  const path = request?.path ?? '/'
  if (endpoint.scheme === 'unix') return `http://${encodeURIComponent(endpoint.path)}${path}`
  if (endpoint.scheme === 'ssh') return `http://docker.example.com${path}`
  const host = endpoint.host.includes(':') ? `[${endpoint.host}]` : endpoint.host
  return `${endpoint.tls === undefined ? 'http' : 'https'}://${host}:${endpoint.port}${path}`
}

function reason(endpoint: Endpoint, error: Error, code: string | undefined): string {
  if (endpoint.scheme === 'unix' && code === 'EACCES') return `dial unix ${endpoint.path}: connect: permission denied`
  if (endpoint.scheme === 'tcp' && code === 'ENOTFOUND') return `dial tcp: lookup ${endpoint.host}: no such host`
  if (code === 'ECONNRESET' || code === 'EPIPE') return 'EOF'
  return error.message
}
