import { parseGoBoolean } from '#lib'
import { readFileSync } from 'node:fs'
import type { Cli } from '../cli.ts'
import { toMap } from '../opts/key-values.ts'
import {
  DEFAULT_CONTEXT,
  metadataDirectory,
  readContext,
  readContextTls,
  TLS_FILES,
  tlsDirectory,
  type ContextMetadata,
  type TlsFile,
  type TlsFiles,
} from './context-store.ts'
import { defaultHost } from './resolve-endpoint.ts'

export interface ContextSource {
  endpoint: NonNullable<ContextMetadata['Endpoints']['docker']>
  tls: TlsFiles
}

const KNOWN_KEYS = ['from', 'host', 'ca', 'cert', 'key', 'skip-tls-verify']

/** `--docker key=value,…` of `context create` and `update`. Throws Error with Docker's text. */
export function dockerEndpoint(cli: Cli, fields: readonly string[]): ContextSource {
  for (const field of fields)
    if (!field.includes('='))
      throw new Error(`invalid argument ${JSON.stringify(field)} for "--docker" flag: ${field} must be formatted as key=value`)
  const values = toMap(fields)
  const unknown = Object.keys(values).find((key) => !KNOWN_KEYS.includes(key))
  if (unknown !== undefined) throw new Error(`unable to create docker endpoint config: unrecognized config key: ${unknown}`)
  if (values['from'] !== undefined) return readContextSource(cli, values['from'])
  const tls: TlsFiles = {}
  for (const kind of Object.keys(TLS_FILES) as TlsFile[]) {
    const path = values[kind]
    if (path !== undefined && path !== '') tls[kind] = readFileSync(path, 'utf8')
  }
  const skip = values['skip-tls-verify']
  return { endpoint: { Host: values['host'] ?? '', SkipTLSVerify: skip === undefined ? false : parseGoBoolean(skip) }, tls }
}

/** The engine of another context, to copy. */
export function readContextSource(cli: Cli, name: string): ContextSource {
  if (name === DEFAULT_CONTEXT) return { endpoint: { Host: defaultHost(cli.choice, cli.env), SkipTLSVerify: false }, tls: {} }
  const endpoint = readContext(cli.configDirectory, name).Endpoints.docker
  if (endpoint === undefined) throw new Error(`unable to get endpoint from context ${JSON.stringify(name)}`)
  return { endpoint, tls: readContextTls(cli.configDirectory, name) }
}

/** Throws Error with Docker's text when a context must stay. */
export function checkContextRemoval(cli: Cli, name: string, force: boolean): void {
  if (name === DEFAULT_CONTEXT) throw new Error('context "default" cannot be removed')
  if (name === cli.contextName && !force) throw new Error(`context ${JSON.stringify(name)} is in use, set -f flag to force remove`)
}

/** What `context inspect` shows. */
export function contextDetails(cli: Cli, name: string): object {
  if (name === DEFAULT_CONTEXT) {
    return {
      Name: name,
      Metadata: {},
      Endpoints: { docker: { Host: defaultHost(cli.choice, cli.env), SkipTLSVerify: false } },
      TLSMaterial: {},
      Storage: { MetadataPath: '<IN MEMORY>', TLSPath: '<IN MEMORY>' },
    }
  }
  const context = readContext(cli.configDirectory, name)
  const files = Object.keys(readContextTls(cli.configDirectory, name)).map((kind) => TLS_FILES[kind as TlsFile])
  return {
    ...context,
    TLSMaterial: files.length === 0 ? {} : { docker: files.sort() },
    Storage: { MetadataPath: metadataDirectory(cli.configDirectory, name), TLSPath: tlsDirectory(cli.configDirectory, name) },
  }
}
