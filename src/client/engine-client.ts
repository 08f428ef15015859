import type { HijackedStream, HttpRequest, HttpResponse, RequestBody } from './connection.ts'
import type { Endpoint } from './endpoint.ts'
import { DaemonError } from './errors.ts'
import { createHttpClient } from './http-client.ts'
import { lowerVersion, type PingInfo, readPing } from './negotiation.ts'

/** Query values: `undefined` and `false` are left out, `true` is `1`, lists repeat the key, objects (filters) are sent as JSON. */
export type QueryValue = string | number | boolean | readonly string[] | object | undefined

export interface RequestOptions {
  query?: Record<string, QueryValue>
  /** Sent as `application/json`. */
  json?: unknown
  /** Sent as it is, with `contentType`. */
  body?: RequestBody
  contentType?: string
  headers?: Record<string, string>
}

/** Calls to one engine. Methods reject with DaemonError for an error status and with ConnectionError when there is no answer. */
export interface EngineClient {
  readonly endpoint: Endpoint
  /** Highest API version this client speaks. */
  readonly maxVersion: string
  /** The agreed API version, e.g. `1.50`; asks the daemon once, unless a version was given. */
  version(): Promise<string>
  /** What the daemon told about itself in its first answer; undefined when negotiation is switched off. */
  ping(): Promise<PingInfo>
  /** A call whose response is streamed; its status is below 400. */
  open(method: string, path: string, options?: RequestOptions): Promise<HttpResponse>
  /** A call that answers with JSON, or with nothing (then the value is undefined). */
  call<T>(method: string, path: string, options?: RequestOptions): Promise<T>
  /** A call that takes over the connection: attach, exec start. */
  hijack(path: string, options?: RequestOptions): Promise<HijackedStream>
  /** A call without a version that turns the connection into one of another protocol: `/session`, `/grpc`. */
  upgrade(path: string, protocol: string, headers?: HttpRequest['headers']): Promise<HijackedStream>
  /** Opens connections that are sure to be needed, while other work goes on. */
  warm(count: number): void
  close(): void
}

export interface EngineClientDeps {
  endpoint: Endpoint
  /** Highest version to ask for. */
  maxVersion: string
  /** Fixes the version and switches negotiation off (`DOCKER_API_VERSION`). */
  fixedVersion?: string
  userAgent: string
  /** Extra headers of every request (`HttpHeaders` of the configuration, `DOCKER_CUSTOM_HEADERS`). */
  headers?: Record<string, string>
}

export function createEngineClient(deps: EngineClientDeps): EngineClient {
  const { endpoint } = deps
  const http = createHttpClient(endpoint)
  const basePath = endpoint.scheme === 'tcp' ? endpoint.basePath : ''
  let pinged: Promise<PingInfo> | undefined

  const common: Record<string, string> = {
    // Go's client sends this name over a unix socket; a proxy in front of one may look at it.
    Host: endpoint.scheme === 'tcp' ? `${endpoint.host}:${endpoint.port}` : 'api.moby.localhost',
    'User-Agent': deps.userAgent,
    ...deps.headers,
  }

  async function ping(): Promise<PingInfo> {
    const head = await http.request({ method: 'HEAD', path: `${basePath}/_ping`, headers: common })
    await head.body.text()
    if (head.status === 200) return readPing(head.headers)
    // Daemons before API 1.40 know GET only.
    const get = await http.request({ method: 'GET', path: `${basePath}/_ping`, headers: common })
    const text = await get.body.text()
    if (get.status >= 400) throw daemonError(get.status, text)
    return readPing(get.headers)
  }

  async function version(): Promise<string> {
    if (deps.fixedVersion !== undefined) return deps.fixedVersion
    return lowerVersion(deps.maxVersion, (await (pinged ??= ping())).apiVersion)
  }

  async function prepare(method: string, path: string, options: RequestOptions): Promise<HttpRequest> {
    const headers = { ...common, ...options.headers }
    let body = options.body
    if (options.json !== undefined) {
      body = JSON.stringify(options.json)
      headers['Content-Type'] = 'application/json'
    } else if (options.contentType !== undefined) headers['Content-Type'] = options.contentType
    const target = `${basePath}/v${await version()}${path}${queryText(options.query ?? {})}`
    return { method, path: target, headers, ...(body === undefined ? {} : { body }) }
  }

  async function open(method: string, path: string, options: RequestOptions = {}): Promise<HttpResponse> {
    const response = await http.request(await prepare(method, path, options))
    if (response.status < 400) return response
    if (method === 'HEAD') throw new DaemonError(response.status, headErrorText(response.status))
    throw daemonError(response.status, await response.body.text())
  }

  function takeOver(request: HttpRequest, protocol: string): Promise<HijackedStream> {
    request.headers['Connection'] = 'Upgrade'
    request.headers['Upgrade'] = protocol
    return http.hijack(request, async (response) => {
      throw daemonError(response.status, await response.body.text())
    })
  }

  return {
    endpoint,
    maxVersion: deps.maxVersion,
    version,
    ping: () => (pinged ??= ping()),
    open,
    async call<T>(method: string, path: string, options: RequestOptions = {}) {
      const response = await open(method, path, options)
      const text = await response.body.text()
      return (text === '' ? undefined : JSON.parse(text)) as T
    },
    hijack: async (path, options = {}) => takeOver(await prepare('POST', path, options), 'tcp'),
    upgrade: (path, protocol, headers = {}) =>
      takeOver({ method: 'POST', path: `${basePath}${path}`, headers: { ...common, ...headers } }, protocol),
    warm: (count) => http.warm(count),
    close: () => http.close(),
  }
}

/** The daemon's own message, or the plain text of something that stands in front of it. */
function daemonError(status: number, text: string): DaemonError {
  let message: unknown
  try {
    message = (JSON.parse(text) as { message?: unknown } | null)?.message
  } catch {
    message = text.trim()
  }
  return new DaemonError(status, typeof message === 'string' && message.trim() !== '' ? message.trim() : `request returned ${status}`)
}

function headErrorText(status: number): string {
  return `request returned ${status} and no further information`
}

function queryText(query: Record<string, QueryValue>): string {
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined || value === false) continue
    if (value === true) parameters.set(name, '1')
    else if (Array.isArray(value)) for (const item of value as readonly string[]) parameters.append(name, item)
    else parameters.set(name, typeof value === 'object' ? JSON.stringify(value) : String(value))
  }
  const text = parameters.toString()
  return text === '' ? '' : `?${text}`
}
