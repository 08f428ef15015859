import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Contexts on disk, in Docker's layout, so that both CLIs share them:
 *
 * ```
 * <config>/contexts/meta/<sha256 of name>/meta.json
 * <config>/contexts/tls/<sha256 of name>/docker/{ca,cert,key}.pem
 * ```
 */

/** The name of the context that stands for environment and flags; it is not stored. */
export const DEFAULT_CONTEXT = 'default'

const NAME_PATTERN = /^[a-zA-Z0-9][a-zA-Z0-9_.+-]+$/

export interface ContextMetadata {
  Name: string
  Metadata: { Description?: string } & Record<string, unknown>
  Endpoints: { docker?: { Host?: string; SkipTLSVerify: boolean } } & Record<string, unknown>
}

/** File names of TLS material and what they hold. */
export const TLS_FILES = { ca: 'ca.pem', cert: 'cert.pem', key: 'key.pem' } as const
export type TlsFile = keyof typeof TLS_FILES
export type TlsFiles = Partial<Record<TlsFile, string>>

/** Throws Error with Docker's text unless `name` may be given to a context. */
export function checkContextName(name: string): void {
  if (name === '') throw new Error('context name cannot be empty')
  if (name === DEFAULT_CONTEXT) throw new Error('"default" is a reserved context name')
  if (!NAME_PATTERN.test(name)) {
    throw new Error(`context name ${JSON.stringify(name)} is invalid, names are validated against regexp "^[a-zA-Z0-9][a-zA-Z0-9_.+-]+$"`)
  }
}

export function metadataDirectory(configDirectory: string, name: string): string {
  return join(configDirectory, 'contexts', 'meta', nameHash(name))
}

export function tlsDirectory(configDirectory: string, name: string): string {
  return join(configDirectory, 'contexts', 'tls', nameHash(name))
}

function nameHash(name: string): string {
  // Not imported above: node:crypto costs 6 ms, and the default context has no directory.
  return process.getBuiltinModule('node:crypto').createHash('sha256').update(name).digest('hex')
}

/** Throws Error with Docker's text for a context that does not exist. */
export function readContext(configDirectory: string, name: string): ContextMetadata {
  const path = join(metadataDirectory(configDirectory, name), 'meta.json')
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    throw new Error(`context ${JSON.stringify(name)}: context not found: open ${path}: no such file or directory`, { cause: error })
  }
  const stored = JSON.parse(text) as Partial<ContextMetadata>
  return { Name: stored.Name ?? name, Metadata: stored.Metadata ?? {}, Endpoints: stored.Endpoints ?? {} }
}

export function contextExists(configDirectory: string, name: string): boolean {
  return statSync(join(metadataDirectory(configDirectory, name), 'meta.json'), { throwIfNoEntry: false }) !== undefined
}

/** All stored contexts, by name. */
export function listContexts(configDirectory: string): ContextMetadata[] {
  let entries: string[]
  try {
    entries = readdirSync(join(configDirectory, 'contexts', 'meta'))
  } catch {
    return []
  }
  const contexts: ContextMetadata[] = []
  for (const entry of entries) {
    try {
      contexts.push(JSON.parse(readFileSync(join(configDirectory, 'contexts', 'meta', entry, 'meta.json'), 'utf8')) as ContextMetadata)
    } catch {
      continue // a directory without metadata is not a context
    }
  }
  return contexts.sort((a, b) => (a.Name < b.Name ? -1 : 1))
}

/** Creates or replaces. `tls` undefined leaves the stored material alone. */
export function writeContext(configDirectory: string, context: ContextMetadata, tls?: TlsFiles): void {
  const directory = metadataDirectory(configDirectory, context.Name)
  mkdirSync(directory, { recursive: true, mode: 0o755 })
  writeFileSync(join(directory, 'meta.json'), JSON.stringify(context), { mode: 0o644 })
  if (tls === undefined) return
  rmSync(tlsDirectory(configDirectory, context.Name), { recursive: true, force: true })
  if (Object.keys(tls).length === 0) return
  const secrets = join(tlsDirectory(configDirectory, context.Name), 'docker')
  mkdirSync(secrets, { recursive: true, mode: 0o700 })
  for (const [kind, text] of Object.entries(tls) as [TlsFile, string][]) {
    const path = join(secrets, TLS_FILES[kind])
    writeFileSync(path, text, { mode: 0o600 })
    chmodSync(path, 0o600) // an existing file keeps its mode otherwise
  }
}

export function removeContext(configDirectory: string, name: string): void {
  rmSync(metadataDirectory(configDirectory, name), { recursive: true, force: true })
  rmSync(tlsDirectory(configDirectory, name), { recursive: true, force: true })
}

/** The stored TLS material of a context. */
export function readContextTls(configDirectory: string, name: string): TlsFiles {
  const files: TlsFiles = {}
  for (const [kind, file] of Object.entries(TLS_FILES) as [TlsFile, string][]) {
    try {
      files[kind] = readFileSync(join(tlsDirectory(configDirectory, name), 'docker', file), 'utf8')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }
  return files
}
