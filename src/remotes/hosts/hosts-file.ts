import { parse as parseToml } from 'smol-toml'
import { invalidArgument } from '#errors'
import { parseGoDuration } from '#lib'
import type { HostCapability } from '../types.ts'

/** What a `hosts.toml` says about one server. Paths of certificates are as written. */
export interface HostEntry {
  /** `https://mirror.example:5000` with or without a path; undefined: the registry itself. */
  server: URL | undefined
  capabilities: ReadonlySet<HostCapability>
  ca: string[]
  /** Certificate and key; the key is in the certificate's file where it is undefined. */
  clients: { cert: string; key: string | undefined }[]
  skipVerify: boolean | undefined
  headers: Record<string, string[]>
  /** The path of `server` is the whole API root: no `/v2` is added. */
  overridePath: boolean
  /** Milliseconds. */
  dialTimeout: number | undefined
}

const CAPABILITIES: readonly HostCapability[] = ['pull', 'resolve', 'push']
const KEYS: ReadonlySet<string> = new Set(['capabilities', 'ca', 'client', 'skip_verify', 'header', 'override_path', 'dial_timeout'])

/**
 * Reads a `hosts.toml`: mirrors in the order of the file, the registry (`server`) last. Throws INVALID_ARGUMENT, naming key and file, for
 * everything that is not understood: a configuration that is half read sends requests where nobody wants them. Source: containerd v2
 * docs/hosts.md.
 */
export function parseHostsFile(text: string, path: string): HostEntry[] {
  const refuse = (problem: string): Error => invalidArgument(`cannot use ${path}: ${problem}`)
  let document: Record<string, unknown>
  try {
    document = parseToml(text)
  } catch (error) {
    throw refuse((error as Error).message)
  }
  const { server, host, ...own } = document
  if (server !== undefined && typeof server !== 'string') throw refuse('server is not a string')
  const hosts = host === undefined ? {} : table(host, 'host', refuse)
  return [
    ...Object.entries(hosts).map(([name, value]) => readEntry(name, table(value, `host."${name}"`, refuse), refuse)),
    readEntry(server ?? '', own, refuse),
  ]
}

type Refuse = (problem: string) => Error

function readEntry(server: string, fields: Record<string, unknown>, refuse: Refuse): HostEntry {
  const unknown = Object.keys(fields).find((key) => !KEYS.has(key))
  if (unknown !== undefined) throw refuse(`unknown key ${unknown}`)
  const capabilities = strings(fields['capabilities'], 'capabilities', refuse).map((name) => name.toLowerCase())
  const odd = capabilities.find((name) => !CAPABILITIES.includes(name as HostCapability))
  if (odd !== undefined) throw refuse(`unknown capability ${odd}`)
  return {
    server: server === '' ? undefined : serverUrl(server, refuse),
    capabilities: new Set(capabilities.length > 0 ? (capabilities as HostCapability[]) : CAPABILITIES),
    ca: strings(fields['ca'], 'ca', refuse),
    clients: clientPairs(fields['client'], refuse),
    skipVerify: optionalBoolean(fields['skip_verify'], 'skip_verify', refuse),
    headers: Object.fromEntries(
      Object.entries(table(fields['header'] ?? {}, 'header', refuse)).map(([name, value]) => [
        name,
        strings(value, `header.${name}`, refuse),
      ]),
    ),
    overridePath: optionalBoolean(fields['override_path'], 'override_path', refuse) ?? false,
    dialTimeout: duration(fields['dial_timeout'], refuse),
  }
}

function serverUrl(text: string, refuse: Refuse): URL {
  const url = URL.parse(/^https?:\/\//.test(text) ? text : `https://${text}`)
  if (url === null || url.hostname === '') throw refuse(`unable to parse server ${text}`)
  if (url.username !== '' || url.search !== '' || url.hash !== '') throw refuse(`server ${text} has more than scheme, host and path`)
  return url
}

/** A file with both, files with both, or pairs of certificate and key. */
function clientPairs(value: unknown, refuse: Refuse): HostEntry['clients'] {
  if (value === undefined) return []
  const entries: unknown[] = Array.isArray(value) ? value : [value]
  return entries.map((entry) => {
    if (typeof entry === 'string') return { cert: entry, key: undefined }
    const [cert, key, ...more] = strings(entry, 'client', refuse)
    if (cert === undefined || more.length > 0) throw refuse('client is not a pair of certificate and key')
    return { cert, key: key === '' ? undefined : key }
  })
}

function strings(value: unknown, what: string, refuse: Refuse): string[] {
  if (value === undefined) return []
  const list: unknown[] = Array.isArray(value) ? value : [value]
  if (!list.every((entry) => typeof entry === 'string')) throw refuse(`${what} is neither a string nor a list of strings`)
  return list
}

function table(value: unknown, what: string, refuse: Refuse): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw refuse(`${what} is not a table`)
  return value as Record<string, unknown>
}

function optionalBoolean(value: unknown, what: string, refuse: Refuse): boolean | undefined {
  if (value !== undefined && typeof value !== 'boolean') throw refuse(`${what} is neither true nor false`)
  return value
}

function duration(value: unknown, refuse: Refuse): number | undefined {
  if (value === undefined) return undefined
  try {
    if (typeof value === 'string') return parseGoDuration(value) / 1e6
  } catch {
    // Said below.
  }
  throw refuse(`dial_timeout ${JSON.stringify(value)} is not a duration`)
}
