import { once } from 'node:events'
import { chmodSync, rmSync, statSync } from 'node:fs'
import { createServer, type Server, type ServerOptions } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { HttpConfig, ListenPlace } from '../config/http-section.ts'
import { createTlsServer, type TlsServer } from '../tls/tls-server.ts'

/** Listens; resolves with the address as a URL for people. Throws what listening throws. */
export async function listenAt(server: Server, place: ListenPlace, scheme: 'http' | 'https'): Promise<string> {
  if (place.kind === 'unix') {
    // Of a process that was killed; a live one would still have it open, and two servers on one storage are refused before.
    if (statSync(place.path, { throwIfNoEntry: false })?.isSocket() === true) rmSync(place.path)
    server.listen({ path: place.path })
    await once(server, 'listening')
    chmodSync(place.path, 0o660)
    return `unix://${place.path}`
  }
  server.listen({ port: place.port, ...(place.host !== '' && { host: place.host }) })
  await once(server, 'listening')
  const { address, port } = server.address() as AddressInfo
  return `${scheme}://${address.includes(':') ? `[${address}]` : address}:${port}`
}

/** The main server: plain or TLS, with the configured headers in every response. */
export async function createMainServer(
  { tls, headers }: Pick<HttpConfig, 'tls' | 'headers'>,
  options: ServerOptions,
): Promise<{ server: Server; reload: TlsServer['reload'] }> {
  const made =
    tls === undefined ? { server: createServer(options), reload: () => Promise.resolve(false) } : await createTlsServer(tls, options)
  for (const event of ['request', 'checkContinue']) {
    made.server.on(event, (_request, response: { setHeader: (name: string, values: readonly string[]) => void }) => {
      for (const [name, values] of Object.entries(headers)) response.setHeader(name, values)
    })
  }
  return made
}
