import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import type { Option } from './options.ts'
import { applyEnvironment, applyOptions, type RawConfig } from './overrides.ts'
import type { GivenOptions } from './parse-options.ts'
import { configFile, type RegistryConfig } from './registry-config.ts'

const MAX_BYTES = 1 << 20
/** Enough for anchors that people write, too few for a file that unfolds without end. */
const MAX_ALIASES = 100

export interface LoadedConfig {
  config: RegistryConfig
  /** What the operator should be told and what is no error. */
  notes: string[]
}

/** Flags over environment over file. Throws Error with a text for the operator. */
export function loadConfig(
  options: readonly Option[],
  given: GivenOptions,
  environment: Readonly<Record<string, string | undefined>>,
): LoadedConfig {
  const path = given.get('config')
  const raw = typeof path === 'string' ? readConfigFile(path) : { version: '0.1' }
  try {
    const notes = applyEnvironment(raw, environment, configFile).map((name) => `environment variable ${name} names no option`)
    applyOptions(raw, options, given)
    return { config: configFile.decode(raw, '', notes), notes }
  } catch (error) {
    throw new Error(`configuration${typeof path === 'string' ? ` (${path})` : ''}: ${(error as Error).message}`, { cause: error })
  }
}

function readConfigFile(path: string): RawConfig {
  try {
    const content = readFileSync(path, 'utf8')
    if (content.length > MAX_BYTES) throw new Error('the file is too large')
    const value = parse(content, { maxAliasCount: MAX_ALIASES, merge: true }) as unknown
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as RawConfig
    throw new Error('the file holds no mapping')
  } catch (error) {
    throw new Error(`cannot read configuration ${path}: ${(error as Error).message}`, { cause: error })
  }
}
