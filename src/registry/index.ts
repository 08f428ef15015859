/**
 * A registry server: the OCI distribution specification 1.1 (and Docker's registry API v2, which it came from) over `node:http`.
 *
 * Life of a request: `http/dispatcher` finds the route, asks the access controller, refuses writes in read-only mode and calls one handler;
 * handlers read and check what the client sent and work on `repositories/`, the model; the model keeps bytes and small records in a
 * `RegistryStorage` (a file system, S3). Everything that is not the protocol is plugged in by `RegistryDeps`: who may do what, who is told, where
 * missing content comes from, metrics.
 *
 * The program, `gantry registry …` (`run-registry.ts`): `config/` reads flags, environment and file into one `RegistryConfig`; `serve/` puts the parts together
 * as it says: `auth/` (htpasswd, tokens, the token server, the access list), `proxy/` (pull-through cache), `gc/` (collector), `notifications/`, `metrics/`,
 * `health/`, `tls/`, `s3/`. Each part works without the others and without the program.
 *
 * Glossary:
 * - *blob*: immutable bytes by digest, stored once for all repositories. *link*: a record that makes a blob visible in one repository.
 * - *upload*: a blob on its way in; survives a restart of the server. *mount*: a link without an upload, from a repository the client may read.
 * - *referrer*: a manifest with a `subject`: a signature, an SBOM. *record*: a small document of the model.
 * - *keep*: touch a blob so that a running collection leaves it alone. See `repositories/types.ts`, `BlobKeeper`.
 *
 * ```ts
 * const storage = await openFileStorage({ root: '/var/lib/registry' })
 * const registry = createRegistry({ storage })
 * const { port } = await registry.listen({ host: '127.0.0.1', port: 5000 })
 * // skopeo copy docker-archive:image.tar docker://127.0.0.1:5000/team/image:1
 * await registry.close()
 * ```
 */
export { runRegistry } from './run-registry.ts'
export { createCollector } from './gc/collector.ts'
export { OWN_STORAGE } from './gc/collection-lock.ts'
export { createRegistry } from './registry.ts'
export type { Registry, RegistryDeps } from './registry.ts'
export { openS3Storage } from './s3/s3-storage.ts'
export type { S3Config } from './config/storage-section.ts'
export { openFileStorage } from './storage/file-system/file-storage.ts'
export type { FileStorageOptions } from './storage/file-system/file-storage.ts'
export type { RegistryStorage } from './storage/types.ts'
export type { BlobKeeper, Repositories, Repository } from './repositories/types.ts'
export type {
  Access,
  AccessController,
  AccessDecision,
  Page,
  RegistryEvent,
  RegistryEvents,
  RegistryLog,
  RequestObserver,
  RequestReport,
  Upstream,
} from './types.ts'
