/**
 * A client of the Docker Engine API, for Gantry's daemon and every other engine that speaks it.
 *
 * Purpose: what the CLI needs and no more: one connection when one will do, plain HTTP/1.1 written by hand (node:http costs 8 ms at start),
 * streams without copies, Docker's words for what went wrong. It knows the wire and nothing of commands, terminals or configuration files.
 *
 * Lifecycle: {@link parseEndpoint} reads the address, {@link createEngineClient} makes the client (no connection yet), the first call asks the
 * daemon for its version, `close()` drops all connections.
 *
 * Glossary: an *endpoint* is where the engine listens; a *transport* is a byte stream to it (unix, tcp, TLS, ssh); a *connection* is HTTP on a
 * transport; a *hijacked stream* is a connection that attach or exec has taken over; a *sink* takes the chunks of a body.
 *
 * Example:
 * ```ts
 * const client = createEngineClient({ endpoint: parseEndpoint('unix:///run/gantry.sock'), maxVersion: '1.55', userAgent: 'example' })
 * for (const container of await listContainers(client, { all: true })) console.log(container.Names[0])
 * client.close()
 * ```
 */
export { parseEndpoint, type Endpoint, type TlsMaterial } from './endpoint.ts'
export { ConnectionError, DaemonError, isNotFound, isUnauthorized } from './errors.ts'
export { createEngineClient, type EngineClient, type EngineClientDeps, type RequestOptions } from './engine-client.ts'
export { compareVersions, type PingInfo } from './negotiation.ts'
export type { BodyStream, Sink } from './body-stream.ts'
export type { HijackedStream, HttpResponse, RequestBody } from './connection.ts'
export { openTransport, type Transport } from './transport.ts'
export type { Filters } from './filters.ts'
export { readJsonStream } from './json-stream.ts'
export {
  attachContainer,
  attachExec,
  commitContainer,
  containerChanges,
  containerLogs,
  containerStats,
  copyFromContainer,
  copyToContainer,
  createContainer,
  createExec,
  exportContainer,
  inspectContainer,
  inspectExec,
  inspectRaw,
  killContainer,
  listContainers,
  pauseContainer,
  pruneContainers,
  removeContainer,
  renameContainer,
  resizeContainer,
  resizeExec,
  restartContainer,
  startContainer,
  startExecDetached,
  statPath,
  stopContainer,
  topContainer,
  unpauseContainer,
  updateContainer,
  waitContainer,
  type AttachOptions,
  type LogsOptions,
  type WaitCondition,
} from './containers.ts'
export {
  imageHistory,
  imagePath,
  importImage,
  listImages,
  loadImages,
  pruneImages,
  pullImage,
  pushImage,
  removeImage,
  saveImages,
  tagImage,
} from './images.ts'
export { registryLogin, searchImages } from './registry.ts'
export { connectNetwork, createNetwork, disconnectNetwork, listNetworks, networkPath, pruneNetworks, removeNetwork } from './networks.ts'
export { createVolume, listVolumes, pruneVolumes, removeVolume, volumePath } from './volumes.ts'
export { checkStore, diskUsage, pruneBuilds, systemEvents, systemInfo, systemVersion } from './system.ts'
export { hijackedDuplex } from './build/hijacked-duplex.ts'
export type { BuildUpdate, LogUpdate, StatusUpdate, VertexUpdate, WarningUpdate } from './build/build-update.ts'
