import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CacheOption } from './cache-options.ts'
import type { ExporterResponse } from './result-files.ts'

/** What an index calls a cache that has no name of its own. */
const DEFAULT_TAG = 'latest'
const NAME = 'org.opencontainers.image.ref.name'

interface LayoutIndex {
  schemaVersion: 2
  manifests: { digest: string; annotations?: Record<string, string> }[]
}

/**
 * A local cache that is read, with the digest of what its name stands for: the engine sees blobs only, the index of the directory is ours to read. One that is
 * not there, as before a project's first build, is passed over with a warning.
 */
export function findLocalCache(option: CacheOption, warn: (line: string) => void): CacheOption | undefined {
  const { directory, attributes } = option
  if (directory === undefined || attributes['digest'] !== undefined) return option
  try {
    return { ...option, attributes: { ...attributes, digest: digestOf(directory, attributes['tag'] ?? DEFAULT_TAG) } }
  } catch (error) {
    warn(`WARNING: local cache import at ${directory} not found due to err: ${(error as Error).message}`)
    return undefined
  }
}

function digestOf(directory: string, tag: string): string {
  const found = readIndex(directory).manifests.find(({ annotations }) => annotations?.[NAME] === tag)
  if (found === undefined) throw new Error(`could not read ${join(directory, 'index.json')}: no cache named ${JSON.stringify(tag)}`)
  return found.digest
}

/** After a build: names what the engine has written in the directories of local caches. */
export function nameLocalCaches(options: readonly CacheOption[], response: ExporterResponse): void {
  const text = response['cache.manifest'] ?? ''
  if (text === '') return
  const descriptor = JSON.parse(text) as LayoutIndex['manifests'][number]
  for (const { directory, attributes } of options) {
    if (directory === undefined) continue
    const tag = attributes['tag'] ?? DEFAULT_TAG
    const others = attributes['reset'] === 'true' ? [] : existingManifests(directory)
    const manifests = [
      ...others.filter(({ annotations }) => annotations?.[NAME] !== tag),
      { ...descriptor, annotations: { ...descriptor.annotations, [NAME]: tag } },
    ]
    mkdirSync(directory, { recursive: true })
    writeFileSync(join(directory, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }))
    writeFileSync(join(directory, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests } satisfies LayoutIndex))
  }
}

function readIndex(directory: string): LayoutIndex {
  const path = join(directory, 'index.json')
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as LayoutIndex
  } catch (error) {
    throw new Error(`could not read ${path}: ${(error as Error).message}`, { cause: error })
  }
}

/** None when this is the first cache in the directory. */
function existingManifests(directory: string): LayoutIndex['manifests'] {
  try {
    return readIndex(directory).manifests
  } catch {
    return []
  }
}
