import { createServer as createTlsServer, type ServerOptions as TlsServerOptions } from 'node:https'
import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { KeyedMutex } from '#lib'
import { createRoutes } from './handlers/routes.ts'
import { createUploadHashes } from './handlers/upload-hashes.ts'
import { createDispatcher } from './http/dispatcher.ts'
import { createPlainServer, createRegistryServer, serverOptions, type HttpLimits } from './http/registry-server.ts'
import { createBlobKeeper } from './repositories/blob-keeper.ts'
import { createRepositories } from './repositories/repositories.ts'
import type { BlobKeeper, Repositories } from './repositories/types.ts'
import type { RegistryStorage } from './storage/types.ts'
import type { AccessController, Page, RegistryEvents, RegistryLog, RequestObserver, Upstream } from './types.ts'

export interface RegistryDeps {
  /** Not disposed by the registry. */
  storage: RegistryStorage
  log?: RegistryLog
  access?: AccessController
  events?: RegistryEvents
  observer?: RequestObserver
  /** Makes this registry a cache of another one: it takes no pushes then. Gets the model, to store what it fetches. */
  upstream?: (model: { repositories: Repositories; keeper: BlobKeeper }) => Upstream
  /** Pages beside `/v2/`, by path. */
  pages?: Readonly<Record<string, Page>>
  /** Nothing may be pushed or deleted. Default: false. */
  readOnly?: boolean
  /** Whether manifests, tags and blobs may be deleted. Default: true. */
  deletes?: boolean
  http?: HttpLimits
  /** Milliseconds since the epoch; default: the machine's clock. */
  now?: () => number
}

export interface Registry {
  readonly repositories: Repositories
  /** What a collection deletes blobs by. */
  readonly keeper: BlobKeeper
  /** Serves until `close`. Port 0: any free one. Throws what listening throws (EADDRINUSE …). */
  listen(options: { host: string; port: number; tls?: TlsServerOptions }): Promise<AddressInfo>
  /** Serves on a server that the caller made, with `serverOptions`, and listens with: a unix socket, certificates that change. `close` closes it, too. */
  attach(server: Server): void
  /** No new requests; resolves when those that run are answered, or after `grace` milliseconds are cut. */
  close(options?: { grace?: number }): Promise<void>
}

const SILENT: RegistryLog = { info() {}, error() {} }

export function createRegistry(deps: RegistryDeps): Registry {
  const { storage, log = SILENT, readOnly = false, deletes = true, now = Date.now } = deps
  const keeper = createBlobKeeper(storage)
  const repositories = createRepositories(storage, keeper)
  const upstream = deps.upstream?.({ repositories, keeper })
  const shutdown = new AbortController()
  const routes = createRoutes({
    storage,
    repositories,
    keeper,
    access: deps.access,
    events: deps.events,
    upstream,
    deletes,
    isWritable: !readOnly && upstream === undefined,
    uploadLocks: new KeyedMutex(),
    uploadHashes: createUploadHashes(),
    now,
  })
  const dispatcher = createDispatcher({
    routes,
    pages: deps.pages ?? {},
    access: deps.access,
    observer: deps.observer,
    log,
    readOnly: upstream ? 'this registry is a cache of another one' : readOnly ? 'this registry is read-only' : undefined,
    shutdown: shutdown.signal,
  })
  const server = createRegistryServer(dispatcher, deps.http)

  return {
    repositories,
    keeper,

    async listen({ host, port, tls }) {
      const listener = tls === undefined ? createPlainServer(server, deps.http) : createSecureServer(tls)
      listener.listen({ host, port })
      await once(listener, 'listening')
      return listener.address() as AddressInfo
    },

    attach: (listener) => server.attach(listener),

    async close(options) {
      const closed = server.close(options)
      await closed
      shutdown.abort()
    },
  }

  function createSecureServer(tls: TlsServerOptions): Server {
    const listener = createTlsServer({ ...serverOptions(deps.http), ...tls })
    server.attach(listener)
    return listener
  }
}
