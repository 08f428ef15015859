import { execFile } from 'node:child_process'
import { accessSync, constants, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Cli } from '../cli.ts'

/** What a plugin says about itself. Source: docker/cli `cli-plugins/metadata`. */
export interface PluginMetadata {
  SchemaVersion: string
  Vendor: string
  Version?: string
  ShortDescription?: string
  URL?: string
  Hidden?: boolean
}

export interface Plugin {
  name: string
  path: string
  metadata?: PluginMetadata
  /** Why it cannot be used. */
  problem?: string
}

const SYSTEM_DIRECTORIES = [
  '/usr/local/lib/docker/cli-plugins',
  '/usr/local/libexec/docker/cli-plugins',
  '/usr/lib/docker/cli-plugins',
  '/usr/libexec/docker/cli-plugins',
]
const PREFIX = 'docker-'
const NAME_PATTERN = /^[a-z][a-z0-9]*$/
const METADATA_TIMEOUT = 10_000

/** The program of a plugin, or undefined. The first directory that has it wins. */
export function findPlugin(cli: Cli, name: string): string | undefined {
  if (!NAME_PATTERN.test(name)) return undefined
  return directories(cli)
    .map((directory) => join(directory, PREFIX + name))
    .find(isExecutable)
}

/** All plugins, each asked for its metadata. */
export async function listPlugins(cli: Cli): Promise<Plugin[]> {
  const found = new Map<string, string>()
  for (const directory of directories(cli)) {
    for (const entry of entriesOf(directory)) {
      const name = entry.slice(PREFIX.length)
      if (!entry.startsWith(PREFIX) || !NAME_PATTERN.test(name) || found.has(name)) continue
      const path = join(directory, entry)
      if (isExecutable(path)) found.set(name, path)
    }
  }
  const plugins = await Promise.all([...found].map(([name, path]) => inspectPlugin(name, path)))
  return plugins.sort((a, b) => (a.name < b.name ? -1 : 1))
}

async function inspectPlugin(name: string, path: string): Promise<Plugin> {
  try {
    const { stdout } = await promisify(execFile)(path, ['docker-cli-plugin-metadata'], { timeout: METADATA_TIMEOUT })
    const metadata = JSON.parse(stdout) as Partial<PluginMetadata>
    if (metadata.SchemaVersion !== '0.1.0')
      return { name, path, problem: `plugin SchemaVersion ${JSON.stringify(metadata.SchemaVersion ?? '')} is not valid, must be 0.1.0` }
    if (metadata.Vendor === undefined || metadata.Vendor === '') return { name, path, problem: 'plugin metadata does not define a vendor' }
    return { name, path, metadata: { ...metadata, SchemaVersion: metadata.SchemaVersion, Vendor: metadata.Vendor } }
  } catch (error) {
    return { name, path, problem: `failed to fetch metadata: ${(error as Error).message}` }
  }
}

function directories(cli: Cli): string[] {
  return [...(cli.config.cliPluginsExtraDirs ?? []), join(cli.configDirectory, 'cli-plugins'), ...SYSTEM_DIRECTORIES]
}

function entriesOf(directory: string): string[] {
  try {
    return readdirSync(directory).sort()
  } catch {
    return []
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
