import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingHttpHeaders, IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { ServerOptions } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { RegistryHost } from '../types.ts'

/** A request as a {@link FakeServer} saw it. */
export interface SeenRequest {
  method: string
  /** Path with query. */
  url: string
  headers: IncomingHttpHeaders
}

/** An HTTP server on loopback for unit tests: it notes what it is asked, and is gone at the end of the block. */
export interface FakeServer extends AsyncDisposable {
  /** `127.0.0.1:4711`. */
  readonly domain: string
  readonly url: string
  readonly seen: SeenRequest[]
  /** `GET /v2/` and the like, in order. */
  lines(): string[]
}

export async function startServer(handler: RequestListener, tls?: ServerOptions): Promise<FakeServer> {
  const seen: SeenRequest[] = []
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    seen.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers })
    handler(request, response)
  }
  const server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const domain = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    domain,
    url: `${tls === undefined ? 'http' : 'https'}://${domain}`,
    seen,
    lines: () => seen.map(({ method, url }) => `${method} ${url}`),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

/** The request's body, whole. */
export async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(request as AsyncIterable<Buffer>))
}

/** A host that can do everything, with TLS checked by the system's certificates. */
export function hostAt(url: string, changes: Partial<RegistryHost> = {}): RegistryHost {
  return {
    base: `${url}/v2`,
    capabilities: new Set(['pull', 'resolve', 'push']),
    tls: { skipVerify: false, ca: [], clients: [] },
    headers: {},
    credentials: true,
    plainFallback: false,
    ...changes,
  }
}
