import { readTar, tarEntry, writeTar, type WritableEntry } from '#archive'
import type { Cli } from '../cli.ts'
import { readContextSource } from './context-edit.ts'
import {
  DEFAULT_CONTEXT,
  readContext,
  TLS_FILES,
  writeContext,
  type ContextMetadata,
  type TlsFile,
  type TlsFiles,
} from './context-store.ts'

/** An archive of contexts holds a page of JSON and three certificates; anything longer is something else. */
const MAX_ARCHIVE = 10 * 1024 * 1024
const METADATA = 'meta.json'

/** A context as a tar archive, `meta.json` and `tls/docker/*.pem`, readable for both CLIs. */
export async function exportContext(cli: Cli, name: string): Promise<Buffer> {
  const { endpoint, tls } = readContextSource(cli, name)
  const metadata: ContextMetadata =
    name === DEFAULT_CONTEXT ? { Name: name, Metadata: {}, Endpoints: { docker: endpoint } } : readContext(cli.configDirectory, name)
  const entries: WritableEntry[] = [file(METADATA, JSON.stringify(metadata))]
  const files = Object.entries(tls) as [TlsFile, string][]
  if (files.length > 0) {
    for (const path of ['tls/', 'tls/docker/']) entries.push({ entry: tarEntry({ path, type: 'directory', mode: 0o700 }) })
  }
  for (const [kind, text] of files) entries.push(file(`tls/docker/${TLS_FILES[kind]}`, text))
  return Buffer.concat(await Array.fromAsync(writeTar(entries)))
}

/** Stores the context of an archive under `name`, whatever it was called. Throws Error for an archive that is none. */
export async function importContext(cli: Cli, name: string, source: AsyncIterable<Uint8Array>): Promise<void> {
  let metadata: ContextMetadata | undefined
  const tls: TlsFiles = {}
  for await (const { entry, body } of readTar(limited(source))) {
    const kind = (Object.keys(TLS_FILES) as TlsFile[]).find((candidate) => entry.path === `tls/docker/${TLS_FILES[candidate]}`)
    const text = Buffer.concat(await Array.fromAsync(body)).toString('utf8')
    if (entry.path === METADATA) metadata = JSON.parse(text) as ContextMetadata
    else if (kind !== undefined) tls[kind] = text
    else if (entry.type !== 'directory') throw new Error(`unexpected context file: ${entry.path}`)
  }
  if (metadata === undefined) throw new Error('invalid context: no metadata found')
  writeContext(cli.configDirectory, { Name: name, Metadata: metadata.Metadata ?? {}, Endpoints: metadata.Endpoints ?? {} }, tls)
}

function file(path: string, text: string): WritableEntry {
  const bytes = Buffer.from(text)
  return { entry: tarEntry({ path, size: bytes.length, mode: 0o644 }), body: [bytes] }
}

async function* limited(source: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let total = 0
  for await (const chunk of source) {
    total += chunk.length
    if (total > MAX_ARCHIVE) throw new Error('invalid context: the archive is too large')
    yield Buffer.from(chunk)
  }
}
