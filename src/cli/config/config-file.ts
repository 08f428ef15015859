import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { checkAuths } from './check-auths.ts'

/** One entry of `proxies`: its values become variables of containers. */
export interface ProxyConfig {
  httpProxy?: string
  httpsProxy?: string
  noProxy?: string
  ftpProxy?: string
  allProxy?: string
}

export interface AuthConfig {
  username?: string
  password?: string
  /** base64 of `user:password`, as `docker login` stores it without a credential store. */
  auth?: string
  identitytoken?: string
  serveraddress?: string
}

/** `config.json`, the keys that are used. Unknown keys stay in the file untouched. Source: docker/cli reference, "Configuration files". */
export interface ConfigFile {
  auths?: Record<string, AuthConfig | null>
  credsStore?: string
  credHelpers?: Record<string, string>
  HttpHeaders?: Record<string, string>
  psFormat?: string
  imagesFormat?: string
  networksFormat?: string
  volumesFormat?: string
  statsFormat?: string
  detachKeys?: string
  pruneFilters?: string[]
  proxies?: Record<string, ProxyConfig>
  currentContext?: string
  cliPluginsExtraDirs?: string[]
}

/** What loading gave: a broken file is reported, and the commands go on without it, as with Docker. */
export interface LoadedConfig {
  config: ConfigFile
  warning?: string
}

/** Reads `config.json` of the directory; a missing file is an empty configuration. */
export function loadConfigFile(directory: string): LoadedConfig {
  const path = configPath(directory)
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { config: {} }
    return { config: {}, warning: `WARNING: Error loading config file: ${(error as Error).message}` }
  }
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new SyntaxError('not a JSON object')
    checkAuths((value as { auths?: unknown }).auths ?? {})
    return { config: value }
  } catch (error) {
    return { config: {}, warning: `WARNING: Error parsing config file (${path}): ${(error as Error).message}` }
  }
}

export function configPath(directory: string): string {
  return join(directory, 'config.json')
}
