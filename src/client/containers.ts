/** Calls of the containers and exec groups. Each function is one endpoint; names and options follow the Engine API. */
import type {
  ContainerCreateResponse,
  ContainerInspect,
  ContainerPathStat,
  ContainerPruneResponse,
  ContainerSummary,
  ContainerTopResponse,
  ContainerUpdateResponse,
  ContainerWaitResponse,
  ExecCreateRequest,
  ExecInspect,
  ExecStartRequest,
  FilesystemChange,
  IdResponse,
} from '#api'
import type { HijackedStream, HttpResponse, RequestBody } from './connection.ts'
import type { EngineClient } from './engine-client.ts'
import { unlessEmpty, type Filters } from './filters.ts'

export interface AttachOptions {
  stdin: boolean
  stdout: boolean
  stderr: boolean
  logs?: boolean
  detachKeys?: string
}

export interface LogsOptions {
  follow?: boolean
  since?: string
  until?: string
  timestamps?: boolean
  details?: boolean
  /** A number or `all`. */
  tail?: string
}

export type WaitCondition = 'not-running' | 'next-exit' | 'removed'

export function listContainers(
  client: EngineClient,
  options: { all?: boolean; limit?: number; size?: boolean; filters?: Filters },
): Promise<ContainerSummary[]> {
  return client.call('GET', '/containers/json', { query: { ...options, filters: unlessEmpty(options.filters) } })
}

/** `body` is `Config` with `HostConfig` and `NetworkingConfig` beside its fields, as the API wants them. */
export function createContainer(client: EngineClient, name: string, body: object, platform?: string): Promise<ContainerCreateResponse> {
  return client.call('POST', '/containers/create', { query: { name: name === '' ? undefined : name, platform }, json: body })
}

export function inspectContainer(client: EngineClient, id: string, size = false): Promise<ContainerInspect> {
  return client.call('GET', containerPath(id, '/json'), { query: { size } })
}

/** The answer's text, byte for byte: `inspect` prints it in the daemon's own order and precision. */
export async function inspectRaw(
  client: EngineClient,
  path: string,
  query: Record<string, boolean | string | undefined> = {},
): Promise<string> {
  return (await client.open('GET', path, { query })).body.text()
}

export function startContainer(client: EngineClient, id: string, detachKeys?: string): Promise<void> {
  return client.call('POST', containerPath(id, '/start'), { query: { detachKeys } })
}

/** `timeout` in seconds: -1 waits for ever, undefined takes the container's own. */
export function stopContainer(client: EngineClient, id: string, options: { signal?: string; timeout?: number }): Promise<void> {
  return client.call('POST', containerPath(id, '/stop'), { query: { signal: options.signal, t: options.timeout } })
}

export function restartContainer(client: EngineClient, id: string, options: { signal?: string; timeout?: number }): Promise<void> {
  return client.call('POST', containerPath(id, '/restart'), { query: { signal: options.signal, t: options.timeout } })
}

export function killContainer(client: EngineClient, id: string, signal?: string): Promise<void> {
  return client.call('POST', containerPath(id, '/kill'), { query: { signal } })
}

export function removeContainer(
  client: EngineClient,
  id: string,
  options: { force?: boolean; v?: boolean; link?: boolean },
): Promise<void> {
  return client.call('DELETE', containerPath(id), { query: { ...options } })
}

export function pauseContainer(client: EngineClient, id: string): Promise<void> {
  return client.call('POST', containerPath(id, '/pause'))
}

export function unpauseContainer(client: EngineClient, id: string): Promise<void> {
  return client.call('POST', containerPath(id, '/unpause'))
}

export function renameContainer(client: EngineClient, id: string, name: string): Promise<void> {
  return client.call('POST', containerPath(id, '/rename'), { query: { name } })
}

export function updateContainer(client: EngineClient, id: string, body: object): Promise<ContainerUpdateResponse> {
  return client.call('POST', containerPath(id, '/update'), { json: body })
}

export function topContainer(client: EngineClient, id: string, psArgs: string | undefined): Promise<ContainerTopResponse> {
  return client.call('GET', containerPath(id, '/top'), { query: { ps_args: psArgs } })
}

export async function containerChanges(client: EngineClient, id: string): Promise<FilesystemChange[]> {
  return (await client.call<FilesystemChange[] | null>('GET', containerPath(id, '/changes'))) ?? []
}

export function pruneContainers(client: EngineClient, filters: Filters): Promise<ContainerPruneResponse> {
  return client.call('POST', '/containers/prune', { query: { filters: unlessEmpty(filters) } })
}

export function resizeContainer(client: EngineClient, id: string, height: number, width: number): Promise<void> {
  return client.call('POST', containerPath(id, '/resize'), { query: { h: height, w: width } })
}

/**
 * Registers a wait. The returned object exists once the daemon has it (headers are sent at once), so that an exit after that cannot be
 * missed; `exit` resolves when it has happened.
 */
export async function waitContainer(
  client: EngineClient,
  id: string,
  condition?: WaitCondition,
): Promise<{ exit: Promise<ContainerWaitResponse> }> {
  const response = await client.open('POST', containerPath(id, '/wait'), { query: { condition } })
  const exit = response.body.text().then((text) => JSON.parse(text) as ContainerWaitResponse)
  exit.catch(() => {}) // the caller may lose interest; a failure is seen by whoever awaits
  return { exit }
}

export function attachContainer(client: EngineClient, id: string, options: AttachOptions): Promise<HijackedStream> {
  return client.hijack(containerPath(id, '/attach'), { query: { stream: true, ...options }, contentType: 'text/plain' })
}

export function containerLogs(client: EngineClient, id: string, options: LogsOptions): Promise<HttpResponse> {
  return client.open('GET', containerPath(id, '/logs'), { query: { stdout: true, stderr: true, ...options } })
}

/** `stream: false` gives two samples a second apart as one; `oneShot` gives the first without waiting. */
export function containerStats(client: EngineClient, id: string, options: { stream: boolean; oneShot?: boolean }): Promise<HttpResponse> {
  return client.open('GET', containerPath(id, '/stats'), { query: { stream: options.stream ? '1' : '0', 'one-shot': options.oneShot } })
}

export function exportContainer(client: EngineClient, id: string): Promise<HttpResponse> {
  return client.open('GET', containerPath(id, '/export'))
}

export function commitContainer(
  client: EngineClient,
  query: { container: string; repo?: string; tag?: string; comment?: string; author?: string; pause?: string; changes?: string[] },
): Promise<IdResponse> {
  return client.call('POST', '/commit', { query })
}

/** Stat of a path in a container. Rejects with SyntaxError when its header is missing (a daemon that is not one). */
export async function statPath(client: EngineClient, id: string, path: string): Promise<ContainerPathStat> {
  const response = await client.open('HEAD', containerPath(id, '/archive'), { query: { path } })
  await response.body.text()
  return readPathStat(response)
}

/** A tar of `path`, with the stat that came in its header. */
export async function copyFromContainer(
  client: EngineClient,
  id: string,
  path: string,
): Promise<{ response: HttpResponse; stat: ContainerPathStat }> {
  const response = await client.open('GET', containerPath(id, '/archive'), { query: { path } })
  return { response, stat: readPathStat(response) }
}

export function copyToContainer(
  client: EngineClient,
  id: string,
  path: string,
  tar: RequestBody,
  options: { noOverwriteDirNonDir?: boolean; copyUIDGID?: boolean },
): Promise<void> {
  return client.call('PUT', containerPath(id, '/archive'), { query: { path, ...options }, body: tar, contentType: 'application/x-tar' })
}

export function createExec(client: EngineClient, id: string, body: ExecCreateRequest): Promise<IdResponse> {
  return client.call('POST', containerPath(id, '/exec'), { json: body })
}

export function startExecDetached(client: EngineClient, id: string, body: ExecStartRequest): Promise<void> {
  return client.call('POST', `/exec/${encodeURIComponent(id)}/start`, { json: body })
}

export function attachExec(client: EngineClient, id: string, body: ExecStartRequest): Promise<HijackedStream> {
  return client.hijack(`/exec/${encodeURIComponent(id)}/start`, { json: body })
}

export function inspectExec(client: EngineClient, id: string): Promise<ExecInspect> {
  return client.call('GET', `/exec/${encodeURIComponent(id)}/json`)
}

export function resizeExec(client: EngineClient, id: string, height: number, width: number): Promise<void> {
  return client.call('POST', `/exec/${encodeURIComponent(id)}/resize`, { query: { h: height, w: width } })
}

/** The slashes of a name stay: containers were once addressed as `/name`, and the daemon still takes that. */
function containerPath(id: string, rest = ''): string {
  return `/containers/${encodeURI(id).replace(/[?#]/g, encodeURIComponent)}${rest}`
}

function readPathStat(response: HttpResponse): ContainerPathStat {
  const header = response.headers.get('x-docker-container-path-stat') ?? ''
  return JSON.parse(Buffer.from(header, 'base64').toString('utf8')) as ContainerPathStat
}
