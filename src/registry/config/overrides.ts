import { parse } from 'yaml'
import type { Option } from './options.ts'
import type { GivenOptions } from './parse-options.ts'
import type { Shape } from './shape.ts'

/** The file's content before it is decoded: mappings, lists, scalars. */
export type RawConfig = Record<string, unknown>

/**
 * Puts `REGISTRY_HTTP_TLS_KEY=/a` in the place of `http.tls.key`; values are YAML, so that lists can be given. Changes `raw`. Returns the variables that
 * name nothing: a note, no error, as orchestrators put variables of their own there (`REGISTRY_PORT=tcp://…` for a service called registry).
 */
export function applyEnvironment(
  raw: RawConfig,
  environment: Readonly<Record<string, string | undefined>>,
  shape: Shape<unknown>,
): string[] {
  const unknown: string[] = []
  for (const [name, value] of Object.entries(environment).sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (value === undefined || !name.startsWith('REGISTRY_')) continue
    const keys = name.slice('REGISTRY_'.length).toLowerCase().split('_')
    if (names(shape, keys)) put(raw, keys, parseValue(name, value))
    else unknown.push(name)
  }
  return unknown
}

/** Puts what was given on the command line in the place of the keys that it stands for. Changes `raw`. */
export function applyOptions(raw: RawConfig, options: readonly Option[], given: GivenOptions): void {
  for (const { flag, keys } of options) {
    const value = given.get(flag)
    if (keys !== undefined && value !== undefined) put(raw, keys, value)
  }
}

function names(shape: Shape<unknown>, keys: readonly string[]): boolean {
  let current: Shape<unknown> | undefined = shape
  for (const key of keys) current = current?.member?.(key)
  return current !== undefined
}

function put(raw: RawConfig, keys: readonly string[], value: unknown): void {
  const [key = '', ...rest] = keys
  if (rest.length === 0) {
    raw[key] = value
    return
  }
  const inner = raw[key]
  const section: RawConfig = typeof inner === 'object' && inner !== null && !Array.isArray(inner) ? (inner as RawConfig) : {}
  raw[key] = section
  put(section, rest, value)
}

function parseValue(name: string, value: string): unknown {
  try {
    return parse(value, { maxAliasCount: 0 }) as unknown
  } catch (cause) {
    throw new Error(`environment variable ${name}: ${(cause as Error).message}`, { cause })
  }
}
