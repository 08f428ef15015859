import { codeOf, invalidArgument, notFound } from '#errors'
import type { ImageOrigin } from '#images'
import { digestOf, parseDigest, parseReference, withDefaultTag } from '#oci'
import type { Digest } from '#oci'
import { LimitExceededError, readLimited } from '#lib'
import type { Lease } from '#content'
import { loginHost } from '../../login-host.ts'
import { layoutOrigin } from '../../sources/image/layout-origin.ts'
import type { CacheLocation, ExportContext, ImportedCache } from '../../types.ts'
import { AttributeReader } from '../attributes.ts'
import { INLINE_CACHE_FIELD } from '../complete-config.ts'
import { exportVertex } from '../export-vertex.ts'
import { MAX_CACHE_CONFIG } from './cache-config.ts'
import type { CacheDeps } from './store-cache.ts'
import { importedCache } from './imported-cache.ts'
import { localStore } from './local-cache.ts'
import { readCacheManifest, readInlineCache } from './read-cache.ts'
import type { ReadBlob } from './read-cache.ts'

/** What a cache is opened with. */
export type OpenContext = Pick<ExportContext, 'session' | 'signal' | 'progress' | 'lease'>

/** Where a cache lies. */
interface CachePlace {
  origin: ImageOrigin
  place: { tag: string } | { digest: Digest }
}

/**
 * Reads what a cache consists of; its layers come when they are wanted. An image here with a cache in it is taken before a registry is asked. Everything is said
 * in the vertex: a build goes on without a cache that it cannot read.
 */
export async function openCache(deps: CacheDeps, location: CacheLocation, context: OpenContext): Promise<ImportedCache> {
  const reader = new AttributeReader(`${location.type} cache`, location.attributes)
  return await shownImport(context, shownName(location), async () => {
    const here = location.type === 'registry' ? imageHere(deps, location.attributes['ref'] ?? '', context.lease) : undefined
    if (here !== undefined) return importedCache(deps, undefined, readInlineCache(here, []))
    const { origin, place } = location.type === 'local' ? localPlace(reader, context) : await registryPlace(deps, reader, context)
    reader.end()
    const { signal } = context
    const manifest = async (at: CachePlace['place']): Promise<Buffer> => {
      const { bytes } = await origin.fetchManifest(at, { signal })
      return 'digest' in at ? checked(bytes, at.digest) : bytes
    }
    const read: ReadBlob = async (descriptor) =>
      checked(await limited(origin.fetchBlob(descriptor, { signal }), MAX_CACHE_CONFIG), descriptor.digest)
    const reading = { read, manifest: (digest: Digest) => manifest({ digest }) }
    return importedCache(deps, origin, await readCacheManifest(await manifest(place), reading))
  })
}

/** As progress shows it; of one that lacks what names it, only the kind. */
function shownName({ type, attributes: { ref = '', digest = '' } }: CacheLocation): string {
  if (type === 'local') return digest === '' ? type : `local:${digest}`
  return ref === '' ? type : ref
}

/** Shows the reading of a cache as BuildKit does. */
export async function shownImport(
  context: Pick<OpenContext, 'progress'>,
  shown: string,
  work: () => Promise<ImportedCache>,
): Promise<ImportedCache> {
  return await exportVertex(context.progress, `importing cache manifest from ${shown}`, `import ${shown}`, async (vertex) =>
    vertex.step('inferred cache manifest type', work),
  )
}

/** The config of an image of this engine that tells about its steps. */
function imageHere({ images, snapshotter }: CacheDeps, ref: string, lease: Lease): object | undefined {
  try {
    const { config, chain } = images.get(ref)
    if (config[INLINE_CACHE_FIELD] === undefined || chain === undefined || !snapshotter.has(chain)) return undefined
    lease.hold(chain)
    return config
  } catch (error) {
    if (codeOf(error) === 'NOT_FOUND' || codeOf(error) === 'INVALID_ARGUMENT') return undefined
    throw error
  }
}

async function registryPlace({ remotes }: CacheDeps, reader: AttributeReader, { session, signal }: OpenContext): Promise<CachePlace> {
  const ref = reader.take('ref')
  if (ref === undefined || ref === '') throw invalidArgument('ref is required for the registry cache')
  const insecure = reader.boolean('registry.insecure') ?? false
  const reference = withDefaultTag(parseReference(ref))
  const credentials = await session.credentials(loginHost(reference))
  const origin = remotes.repository(reference, 'pull', { signal, insecure, ...(credentials === undefined ? {} : { credentials }) })
  return { origin, place: reference.digest === undefined ? { tag: reference.tag ?? '' } : { digest: reference.digest } }
}

function localPlace(reader: AttributeReader, { session }: OpenContext): CachePlace {
  const source = reader.take('src')
  const digest = reader.take('digest')
  reader.take('tag') // the client has looked the digest up by it
  if (source === undefined || source === '') throw invalidArgument('local cache importer requires src')
  if (digest === undefined || digest === '')
    throw notFound('local cache importer requires either explicit digest, "latest" tag or custom tag on index.json')
  return { origin: layoutOrigin(session.store(localStore(source))), place: { digest: parseDigest(digest) } }
}

function checked(bytes: Buffer, digest: Digest): Buffer {
  if (digestOf(bytes) !== digest) throw invalidArgument(`${digest}: content does not match digest`)
  return bytes
}

async function limited(chunks: AsyncIterable<Uint8Array>, limit: number): Promise<Buffer> {
  try {
    return Buffer.from(await readLimited(chunks, limit, 'cache config'))
  } catch (error) {
    if (error instanceof LimitExceededError) throw invalidArgument(error.message, error)
    throw error
  }
}
