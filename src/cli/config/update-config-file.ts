import { mkdirSync, realpathSync, renameSync, writeFileSync } from 'node:fs'
import { configPath, loadConfigFile, type ConfigFile } from './config-file.ts'

/** Only the owner may read it: it holds credentials. */
const FILE_MODE = 0o600

/**
 * Changes `config.json`, keeping the keys we do not know. Written beside the old one and moved over it, so that another command never reads
 * half a file. Throws Error for a file that cannot be parsed, rather than replace it.
 */
export function updateConfigFile(directory: string, change: (config: ConfigFile) => void): void {
  const { config, warning } = loadConfigFile(directory)
  if (warning !== undefined) throw new Error(warning)
  change(config)
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const path = resolveLink(configPath(directory))
  const temporary = `${path}.${process.pid}.tmp`
  writeFileSync(temporary, JSON.stringify(inOrder(config), undefined, '\t'), { mode: FILE_MODE })
  renameSync(temporary, path)
}

/** The order in which Docker writes the keys; those it does not know stay behind them. */
const ORDER = [
  'auths',
  'HttpHeaders',
  'psFormat',
  'imagesFormat',
  'networksFormat',
  'pluginsFormat',
  'volumesFormat',
  'statsFormat',
  'detachKeys',
  'credsStore',
  'credHelpers',
  'serviceInspectFormat',
  'servicesFormat',
  'tasksFormat',
  'secretFormat',
  'configFormat',
  'nodesFormat',
  'pruneFilters',
  'proxies',
  'currentContext',
  'cliPluginsExtraDirs',
  'plugins',
  'aliases',
  'features',
]

/** As Docker's own file: two versions of it differ only where something changed. */
function inOrder(config: ConfigFile): object {
  const auths = Object.fromEntries(Object.entries(config.auths ?? {}).toSorted(([a], [b]) => (a < b ? -1 : 1)))
  const entries: [string, unknown][] = Object.entries({ ...config, auths })
  const rank = (key: string): number => (ORDER.includes(key) ? ORDER.indexOf(key) : ORDER.length)
  return Object.fromEntries(entries.toSorted(([a], [b]) => rank(a) - rank(b)))
}

/** People keep their configuration in a repository and link to it: the link must stay one. */
function resolveLink(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}
