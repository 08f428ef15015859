import type { ContentStore, Lease } from '#content'
import { EngineError, invalidArgument } from '#errors'
import { choosePlatform, decodeManifest, fullString, MAX_MANIFEST_SIZE, MEDIA_TYPES } from '#oci'
import type { Descriptor, Digest, ImageIndex, ImageManifest, ManifestDocument, Platform, Reference } from '#oci'
import type { RemoteRepository } from '#remotes'
import { isAttestation } from '../manifest-graph.ts'

/** What a name of a registry means on one platform. */
export interface FetchedManifest {
  /** What the name points to: manifest or index. */
  target: Descriptor
  manifest: ImageManifest
}

export interface FetchDeps {
  content: ContentStore
  lease: Lease
  repository: Pick<RemoteRepository, 'resolve' | 'fetchManifest'>
  signal: AbortSignal
}

/** Indexes within indexes. */
const MAX_NESTING = 4

const INDEX_TYPES: ReadonlySet<string> = new Set([MEDIA_TYPES.ociIndex, MEDIA_TYPES.dockerManifestList])
const MANIFEST_TYPES: ReadonlySet<string> = new Set([MEDIA_TYPES.ociManifest, MEDIA_TYPES.dockerManifest, ...INDEX_TYPES])
const SCHEMA_1 = /^application\/vnd\.docker\.distribution\.manifest\.v1\+(json|prettyjws)$/

/**
 * Fetches what `name` points to; what is here already is only asked for (registries count downloads, and a HEAD is none). The bytes are blobs under
 * the lease afterwards.
 */
export async function fetchTarget(deps: FetchDeps, name: Reference, known: Descriptor | undefined): Promise<StoredDocument> {
  const { repository, signal } = deps
  const place = name.digest === undefined ? { tag: name.tag ?? '' } : { digest: name.digest }
  const isKnown = known !== undefined || (name.digest !== undefined && deps.content.has(name.digest))
  if (!isKnown) return await fetchDocument(deps, place, name)
  const descriptor = await repository.resolve(place, { signal })
  if (name.digest !== undefined) verifyDigest(descriptor.digest, name.digest)
  return await readDocument(deps, descriptor, name)
}

/** What is here by the digest of its name; undefined when it is not. */
export function storedTarget({ content, lease }: Pick<FetchDeps, 'content' | 'lease'>, name: Reference): StoredDocument | undefined {
  if (name.digest === undefined || !content.has(name.digest)) return undefined
  lease.hold(name.digest)
  return decode(content.readAll(name.digest, MAX_MANIFEST_SIZE), name.digest, '', name)
}

/** The manifest for `platform` in a target. Throws NOT_FOUND with Docker's words; `shown` is how the platform is written there. */
export async function chooseManifest(
  deps: FetchDeps,
  name: Reference,
  target: StoredDocument,
  platform: Platform,
  shown: string,
): Promise<ImageManifest> {
  let { document } = target
  for (let depth = 0; document.kind === 'index'; depth++) {
    if (depth > MAX_NESTING) throw invalidArgument('invalid index: indexes are nested too deeply')
    const chosen = choosePlatform(candidates(document.index), platform)
    if (chosen === undefined) {
      throw new EngineError('NOT_FOUND', `no matching manifest for ${shown} in the manifest list entries: not found`)
    }
    ;({ document } = await readDocument(deps, chosen, name))
  }
  return document.manifest
}

/** What may be an image: attestations and whatever else an index lists is passed over. */
function candidates(index: ImageIndex): Descriptor[] {
  return index.manifests.filter((entry) => MANIFEST_TYPES.has(entry.mediaType) && !isAttestation(entry))
}

/** A manifest or index whose bytes are stored. */
export interface StoredDocument {
  descriptor: Descriptor
  document: ManifestDocument
}

/** One that is here, or is fetched. */
async function readDocument(deps: FetchDeps, descriptor: Descriptor, name: Reference): Promise<StoredDocument> {
  const { digest, size, mediaType } = descriptor
  if (!deps.content.has(digest)) {
    const fetched = await fetchDocument(deps, { digest, size }, name)
    return { ...fetched, document: check(fetched.document, mediaType) }
  }
  deps.lease.hold(digest)
  return decode(deps.content.readAll(digest, MAX_MANIFEST_SIZE), digest, mediaType, name)
}

async function fetchDocument(
  { repository, content, lease, signal }: FetchDeps,
  place: { tag: string } | { digest: Digest; size?: number },
  name: Reference,
): Promise<StoredDocument> {
  const { descriptor, bytes } = await repository.fetchManifest(place, { signal })
  if ('digest' in place) verifyDigest(descriptor.digest, place.digest)
  const stored = decode(bytes, descriptor.digest, descriptor.mediaType, name)
  await content.ingest([bytes], { lease, digest: descriptor.digest, signal })
  return stored
}

function verifyDigest(actual: Digest, expected: Digest): void {
  if (actual !== expected) throw invalidArgument(`manifest verification failed for digest ${expected}`)
}

/** `mediaType`: as it was served; empty when nobody said. */
function decode(bytes: Buffer, digest: Digest, mediaType: string, name: Reference): StoredDocument {
  if (SCHEMA_1.test(mediaType)) throw invalidArgument(schema1Removed(name))
  const document = check(decodeManifest(bytes), mediaType)
  const own = document.kind === 'index' ? document.index.mediaType : document.manifest.mediaType
  const usual = document.kind === 'index' ? MEDIA_TYPES.ociIndex : MEDIA_TYPES.ociManifest
  const known = MANIFEST_TYPES.has(mediaType) ? mediaType : (own ?? (mediaType === '' ? usual : undefined))
  // A document whose header names something else, and that does not say itself what it is, would mean to others what it does not mean here.
  if (known === undefined) throw invalidArgument(`unsupported manifest media type and no default available: ${mediaType}`)
  return { descriptor: { mediaType: known, digest, size: bytes.length }, document }
}

/**
 * Attack (CVE-2021-41190): bytes that are one thing by the header or index that leads to them, another by themselves; who checks a signature on the
 * one runs the other.
 */
function check(document: ManifestDocument, mediaType: string): ManifestDocument {
  if (!MANIFEST_TYPES.has(mediaType)) return document
  const own = document.kind === 'index' ? document.index.mediaType : document.manifest.mediaType
  if (own !== undefined && own !== mediaType) throw invalidArgument(`mediaType in manifest should be '${mediaType}' not '${own}'`)
  if (INDEX_TYPES.has(mediaType) !== (document.kind === 'index')) throw invalidArgument(`invalid manifest: not of media type ${mediaType}`)
  return document
}

function schema1Removed(name: Reference): string {
  return (
    'Docker Image Format v1 and Docker Image manifest version 2, schema 1 support has been removed. ' +
    `Suggest the author of ${fullString(name)} to upgrade the image to the OCI Format or Docker Image manifest v2, schema 2. ` +
    'More information at https://docs.docker.com/go/deprecated-image-specs/'
  )
}
