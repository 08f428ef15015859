import type { HealthCheckOptions } from '../health/types.ts'
import type { EndpointOptions } from '../notifications/types.ts'
import { count, duration, flag, listOf, mapOf, oneOf, refine, required, section, text, type Shape } from './shape.ts'

export interface NotificationsConfig {
  endpoints: readonly EndpointOptions[]
}

/** The registry whose content is kept here. */
export interface ProxyConfig {
  /** `https://registry-1.docker.io`. */
  remoteUrl: string
  credentials: { username: string; password: string } | undefined
  /** Milliseconds after which content that nobody asked for is removed; 0: never. */
  ttl: number
  /** Milliseconds for which a tag is believed without asking. */
  tagTtl: number
}

export interface LogConfig {
  level: 'debug' | 'info' | 'warn' | 'error'
  format: 'text' | 'json'
  /** Put into every line. */
  fields: Readonly<Record<string, string>>
  accessLog: boolean
}

const headers = mapOf(listOf(text))
const ignore = section({ mediatypes: listOf(text), actions: listOf(text) })

const endpoint = refine(
  section({
    name: text,
    disabled: flag,
    url: text,
    headers,
    timeout: duration,
    threshold: count,
    backoff: duration,
    ignoredmediatypes: listOf(text),
    ignore,
  }),
  (given, path): EndpointOptions | undefined => {
    if (given.disabled === true) return undefined
    const url = required(given.url, path, 'url')
    if (!/^https?:$/.test(URL.parse(url)?.protocol ?? ''))
      throw new Error(`${path}.url: cannot use ${JSON.stringify(url)}: wanted is a URL`)
    return {
      name: given.name ?? url,
      url,
      headers: given.headers ?? {},
      // docker-registry's defaults: one second each, ten failures.
      timeout: given.timeout || 1000,
      threshold: given.threshold || 10,
      backoff: given.backoff || 1000,
      ignoredMediaTypes: [...(given.ignoredmediatypes ?? []), ...(given.ignore?.mediatypes ?? [])],
      ignoredActions: given.ignore?.actions ?? [],
    }
  },
)

/** `notifications`. */
export const notificationsSection: Shape<NotificationsConfig> = refine(
  section({ events: section({ includereferences: flag }), endpoints: listOf(endpoint) }),
  (given, path): NotificationsConfig => {
    if (given.events?.includereferences === true)
      throw new Error(`${path}.events.includereferences: not supported: a listener can ask for the manifest`)
    return { endpoints: (given.endpoints ?? []).filter((item) => item !== undefined) }
  },
)

const often = { interval: 10_000, threshold: 1 }

const storageCheck = refine(
  section({ enabled: flag, interval: duration, threshold: count }),
  ({ enabled = false, ...given }): HealthCheckOptions[] => (enabled ? [{ ...often, ...given, kind: 'storage' }] : []),
)

const fileCheck = refine(section({ file: text, interval: duration, threshold: count }), ({ file, ...given }, path): HealthCheckOptions => ({
  ...often,
  ...given,
  kind: 'file',
  path: required(file, path, 'file'),
}))

const httpCheck = refine(
  section({ uri: text, headers, statuscode: count, timeout: duration, interval: duration, threshold: count }),
  ({ uri, statuscode = 200, ...given }, path): HealthCheckOptions => ({
    ...often,
    timeout: 5000,
    headers: {},
    ...given,
    kind: 'http',
    uri: required(uri, path, 'uri'),
    status: statuscode,
  }),
)

const tcpCheck = refine(
  section({ addr: text, timeout: duration, interval: duration, threshold: count }),
  ({ addr, ...given }, path): HealthCheckOptions => {
    const [, host, port] = /^\[?(.+?)\]?:(\d+)$/.exec(required(addr, path, 'addr')) ?? []
    if (host === undefined) throw new Error(`${path}.addr: cannot use ${JSON.stringify(addr)}: wanted is HOST:PORT`)
    return { ...often, timeout: 5000, ...given, kind: 'tcp', host, port: Number(port) }
  },
)

/** `health`. */
export const healthSection: Shape<HealthCheckOptions[]> = refine(
  section({ storagedriver: storageCheck, file: listOf(fileCheck), http: listOf(httpCheck), tcp: listOf(tcpCheck) }),
  (given): HealthCheckOptions[] => [...(given.storagedriver ?? []), ...(given.file ?? []), ...(given.http ?? []), ...(given.tcp ?? [])],
)

/** `proxy`. */
export const proxySection: Shape<ProxyConfig | undefined> = refine(
  section(
    { remoteurl: text, username: text, password: text, ttl: duration, tagttl: duration },
    { exec: 'credential helpers; give username and password' },
  ),
  (given, path): ProxyConfig | undefined => {
    if (given.remoteurl === undefined || given.remoteurl === '') return undefined
    const url = URL.parse(given.remoteurl)
    if (url === null || !/^https?:$/.test(url.protocol))
      throw new Error(`${path}.remoteurl: cannot use ${JSON.stringify(given.remoteurl)}: wanted is a URL`)
    return {
      remoteUrl: given.remoteurl.replace(/\/+$/, ''),
      credentials: given.username ? { username: given.username, password: given.password ?? '' } : undefined,
      // docker-registry's: a week.
      ttl: given.ttl ?? 168 * 3600e3,
      tagTtl: given.tagttl ?? 0,
    }
  },
)

const level = oneOf('debug', 'info', 'warn', 'error')

/** `log`. */
export const logSection: Shape<LogConfig> = refine(
  section(
    { accesslog: section({ disabled: flag }), level, formatter: oneOf('text', 'json'), fields: mapOf(text) },
    { hooks: 'let a collector of logs send mails', reportcaller: 'lines do not name places in the program' },
  ),
  (given): LogConfig => ({
    level: given.level ?? 'info',
    format: given.formatter ?? 'text',
    fields: given.fields ?? {},
    accessLog: !(given.accesslog?.disabled ?? false),
  }),
)
