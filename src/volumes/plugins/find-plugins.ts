/** Where plugins of the Docker plugin protocol are found. Source: docs.docker.com, "Docker Plugin API", discovery. */

import { readdirSync, readFileSync, statSync } from 'node:fs'
import { extname, join, parse } from 'node:path'
import { parseJson } from '#lib'

/** Searched in this order; sockets before files. */
export interface PluginDirectories {
  /** Of `<name>.sock` or `<name>/<name>.sock`. */
  sockets: readonly string[]
  /** Of `<name>.spec` (an address) and `<name>.json`, likewise. */
  specs: readonly string[]
}

/** How to reach one. */
export interface PluginAddress {
  name: string
  /** `unix:///run/…`, `tcp://host:port`, `http://…` or `https://…`. */
  address: string
  tls?: { verify: boolean; ca: string; cert: string; key: string }
}

/** The name becomes a path; other plugins than files have other names. */
const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/
const MAX_FILE = 64 << 10

/** undefined: there is none of that name. Throws Error for a file that says nothing. */
export function findPlugin(directories: PluginDirectories, name: string): PluginAddress | undefined {
  if (!isPluginName(name)) return undefined
  for (const path of directories.sockets.flatMap((base) => candidates(base, name, '.sock'))) {
    if (statSync(path, { throwIfNoEntry: false })?.isSocket()) return { name, address: `unix://${path}` }
  }
  for (const base of directories.specs) {
    for (const path of [...candidates(base, name, '.spec'), ...candidates(base, name, '.json')]) {
      if (statSync(path, { throwIfNoEntry: false })?.isFile()) return readPluginFile(name, path)
    }
  }
  return undefined
}

/** Names of all there are, sorted. */
export function pluginNames({ sockets, specs }: PluginDirectories): string[] {
  const names = new Set<string>()
  for (const [bases, endings] of [
    [sockets, ['.sock']],
    [specs, ['.spec', '.json']],
  ] as const) {
    for (const base of bases) for (const name of namesIn(base, endings)) names.add(name)
  }
  return [...names].filter(isPluginName).sort()
}

/** `local` is our own driver: a plugin of that name would get the volumes of the other. */
function isPluginName(name: string): boolean {
  return NAME.test(name) && name !== 'local'
}

function candidates(base: string, name: string, ending: string): string[] {
  return [join(base, name + ending), join(base, name, name + ending)]
}

/** A directory counts as a plugin when it holds a file of its own name. */
function namesIn(base: string, endings: readonly string[]): string[] {
  return entriesOf(base).flatMap((entry) => {
    if (endings.includes(extname(entry))) return [parse(entry).name]
    return endings.some((ending) => statSync(join(base, entry, entry + ending), { throwIfNoEntry: false }) !== undefined) ? [entry] : []
  })
}

function entriesOf(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch {
    return []
  }
}

function readPluginFile(name: string, path: string): PluginAddress {
  const text = readFileSync(path, 'utf8')
  if (!path.endsWith('.json')) return withScheme({ name, address: text.trim() })
  const file = parseJson(text, { maxBytes: MAX_FILE, maxDepth: 8 }) as { Addr?: unknown; TLSConfig?: Record<string, unknown> } | null
  const asText = (value: unknown): string => (typeof value === 'string' ? value : '')
  const { InsecureSkipVerify, CAFile, CertFile, KeyFile } = file?.TLSConfig ?? {}
  const tls = {
    verify: InsecureSkipVerify !== true && asText(CAFile) !== '',
    ca: asText(CAFile),
    cert: asText(CertFile),
    key: asText(KeyFile),
  }
  return withScheme({ name, address: asText(file?.Addr), ...(file?.TLSConfig !== undefined && { tls }) })
}

function withScheme(plugin: PluginAddress): PluginAddress {
  if (!/^(unix|tcp|http|https):\/\//.test(plugin.address)) throw new Error('Unknown protocol')
  return plugin
}
