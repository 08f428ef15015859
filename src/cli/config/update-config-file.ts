import { chownSync, mkdirSync, readlinkSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { configPath, loadConfigFile, type ConfigFile } from './config-file.ts'

/** Only the owner may read it: it holds credentials. */
const FILE_MODE = 0o600

/**
 * Changes `config.json`, keeping the keys we do not know. Written beside the old one and moved over it, so that another command never reads
 * half a file; it stays its owner's, whoever we are. Throws Error for a file that cannot be parsed, rather than replace it.
 */
export function updateConfigFile(directory: string, change: (config: ConfigFile) => void): void {
  const { config, warning } = loadConfigFile(directory)
  if (warning !== undefined) throw new Error(warning)
  change(config)
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const path = resolveLink(configPath(directory))
  const temporary = `${path}.${process.pid}.tmp`
  try {
    rmSync(temporary, { force: true })
    writeFileSync(temporary, JSON.stringify(inOrder(config), undefined, '\t'), { mode: FILE_MODE, flag: 'wx' })
    keepOwner(path, temporary)
    renameSync(temporary, path)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
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
    // What it points to is still to be made, or there is nothing at all.
  }
  try {
    return resolve(realpathSync(dirname(path)), readlinkSync(path))
  } catch {
    return path
  }
}

/** `sudo docker login` in a user's home must not lock the user out. */
function keepOwner(path: string, temporary: string): void {
  const old = statSync(path, { throwIfNoEntry: false })
  const made = statSync(temporary)
  if (old === undefined || (old.uid === made.uid && old.gid === made.gid)) return
  try {
    chownSync(temporary, old.uid, old.gid)
  } catch (error) {
    // Only root may give files away; another user of a shared file keeps what it writes.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') throw error
  }
}
