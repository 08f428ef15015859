import type { CacheFilters, CollectionRule } from '#build'
import { parseGoDuration, parseRamBytes } from '#lib'

/** `builder` of daemon.json. Sizes in bytes, 0: not said. */
export interface BuilderOptions {
  gc: {
    enabled: boolean
    reservedSpace: number
    maxUsedSpace: number
    minFreeSpace: number
    /** undefined: the default rules. */
    policy: CollectionRule[] | undefined
  }
  entitlements: { networkHost: boolean; securityInsecure: boolean; device: boolean }
  /** RUN steps at a time; 0: by the number of CPUs. A key of Gantry's own: dockerd has no limit. */
  maxParallelism: number
}

type Members = Record<string, unknown>

/** As dockerd without the key. */
export const DEFAULT_BUILDER: BuilderOptions = builderOptions({})

/** Decodes the object. Throws Error with the reason; keys that dockerd does not know are refused. Source: moby daemon/config/builder.go. */
export function builderOptions(value: unknown): BuilderOptions {
  const builder = members(value, 'builder', ['gc', 'entitlements', 'maxParallelism'])
  const gc = members(builder['gc'] ?? {}, 'gc', [
    'enabled',
    'policy',
    'defaultReservedSpace',
    'defaultKeepStorage',
    'defaultMaxUsedSpace',
    'defaultMinFreeSpace',
  ])
  const allowed = members(builder['entitlements'] ?? {}, 'entitlements', ['network-host', 'security-insecure', 'device'])
  const maxParallelism = builder['maxParallelism'] ?? 0
  if (!Number.isInteger(maxParallelism) || (maxParallelism as number) < 0) throw new Error('maxParallelism: a number from 0 is wanted')
  return {
    gc: {
      enabled: boolean(gc, 'enabled', true),
      // The second one is its name of before.
      reservedSpace: size(gc, 'defaultReservedSpace') || size(gc, 'defaultKeepStorage'),
      maxUsedSpace: size(gc, 'defaultMaxUsedSpace'),
      minFreeSpace: size(gc, 'defaultMinFreeSpace'),
      policy: policy(gc['policy']),
    },
    entitlements: {
      networkHost: boolean(allowed, 'network-host', true),
      securityInsecure: boolean(allowed, 'security-insecure', false),
      device: boolean(allowed, 'device', true),
    },
    maxParallelism: maxParallelism as number,
  }
}

function policy(value: unknown): CollectionRule[] | undefined {
  if (value === undefined || value === null) return undefined
  if (!Array.isArray(value)) throw new Error('policy: a list of rules is wanted')
  return value.map(rule)
}

function rule(value: unknown): CollectionRule {
  const given = members(value, 'policy', ['all', 'filter', 'keepDuration', 'reservedSpace', 'keepStorage', 'maxUsedSpace', 'minFreeSpace'])
  const { age, filters } = ruleFilters(given['filter'] ?? [])
  return {
    all: boolean(given, 'all', false),
    filters,
    keepDuration: given['keepDuration'] === undefined ? age : duration(given['keepDuration'], 'keepDuration'),
    reservedSpace: size(given, 'reservedSpace') || size(given, 'keepStorage'),
    maxUsedSpace: size(given, 'maxUsedSpace'),
    minFreeSpace: size(given, 'minFreeSpace'),
  }
}

/** `["unused-for=48h", "type=source.local"]`. */
function ruleFilters(value: unknown): { age: number; filters: CacheFilters } {
  if (!Array.isArray(value)) throw new Error('filter: a list of strings is wanted')
  let age = 0
  const filters: Record<string, string[]> = {}
  for (const text of value) {
    if (typeof text !== 'string') throw new Error('filter: a list of strings is wanted')
    const [name = '', condition = ''] = text.split(/==?(.*)/s)
    if (name === 'unused-for' || name === 'until') age = duration(condition, name)
    else (filters[name] ??= []).push(condition)
  }
  return { age, filters }
}

function members(value: unknown, name: string, known: readonly string[]): Members {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error(`${name}: an object is wanted`)
  const unknown = Object.keys(value).filter((key) => !known.includes(key))
  if (unknown.length > 0) throw new Error(`${name}: unknown keys: ${unknown.join(', ')}`)
  return value as Members
}

function boolean(from: Members, key: string, fallback: boolean): boolean {
  const value = from[key] ?? fallback
  if (typeof value !== 'boolean') throw new Error(`${key}: true or false is wanted`)
  return value
}

function size(from: Members, key: string): number {
  const value = from[key] ?? 0
  if (typeof value === 'number' && value >= 0) return value
  try {
    if (typeof value === 'string') return parseRamBytes(value)
  } catch {
    // Told below.
  }
  throw new Error(`failed to parse ${key}: invalid size: '${typeof value === 'string' ? value : JSON.stringify(value)}'`)
}

/** Milliseconds. */
function duration(value: unknown, name: string): number {
  try {
    if (typeof value === 'string') return parseGoDuration(value) / 1_000_000
  } catch {
    // Told below.
  }
  throw new Error(`${JSON.stringify(name)} filter expects a duration (e.g., '24h')`)
}
