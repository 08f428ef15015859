import { parseJson } from '#lib'
import { digestOf, isDigest, MEDIA_TYPES, type Digest } from '#oci'
import { RegistryError } from '../http/registry-error.ts'

/** JSON deeper than this has no use in a manifest. */
const MAX_DEPTH = 64
const INDEX_TYPES: ReadonlySet<string> = new Set([MEDIA_TYPES.ociIndex, MEDIA_TYPES.dockerManifestList])
const IMAGE_TYPES: ReadonlySet<string> = new Set([MEDIA_TYPES.ociManifest, MEDIA_TYPES.dockerManifest])
const SCHEMA_1 = /^application\/vnd\.docker\.distribution\.manifest\.v1\+(?:json|prettyjws)$/

/** Goes into a header of every answer. Source: RFC 6838, 4.2. */
const MEDIA_TYPE = /^[a-z0-9][a-z0-9!#$&^_.+-]{0,126}\/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}$/i

/** Layers of these types may be somewhere else (Windows base layers). Source: image-spec v1.1 layer.md, "Non-Distributable Layers". */
const FOREIGN_TYPE =
  /^application\/vnd\.(?:docker\.image\.rootfs\.foreign\.diff\.tar(?:\.gzip)?|oci\.image\.layer\.nondistributable\.v1\.tar(?:\+\w+)?)$/

/** A manifest as far as a registry has to understand it; everything else in `bytes` is the client's. */
export interface ManifestDocument {
  bytes: Buffer
  digest: Digest
  mediaType: string
  /** Blobs that have to be in the repository: config, layers, an artifact's blobs. */
  blobs: Digest[]
  /** Manifests that have to be in the repository: entries of an index. */
  manifests: Digest[]
  subject?: Digest
  /** What a list of referrers says about it. Source: distribution-spec v1.1, "Listing Referrers". */
  artifactType?: string
  annotations?: Record<string, string>
}

/**
 * Understands a manifest of any type. Types that this registry knows are checked as such; of others (artifacts) the members that look like the known
 * ones count. `contentType` is the header's; without one the document speaks for itself. Throws MANIFEST_INVALID, and DIGEST_INVALID for a
 * digest of another algorithm.
 */
export function readManifest(bytes: Buffer, contentType: string | undefined): ManifestDocument {
  const fields = parseObject(bytes)
  const mediaType = decideType(fields, contentType)
  if (SCHEMA_1.test(mediaType)) throw invalid('image manifest version 2, schema 1 is not supported')
  const isIndex = INDEX_TYPES.has(mediaType)
  const isImage = IMAGE_TYPES.has(mediaType)
  if ((isIndex || isImage) && fields['schemaVersion'] !== 2) throw invalid('schemaVersion is not 2')
  // A document that is both would be another image to each client (CVE-2021-41190).
  if (isIndex && (fields['config'] !== undefined || fields['layers'] !== undefined)) throw invalid('an index with config or layers')
  if (isImage && fields['manifests'] !== undefined) throw invalid('an image manifest with manifests')
  if (isImage && !present(fields['config'])) throw invalid('config is missing')

  const config = present(fields['config']) ? descriptor(fields['config'], 'config') : undefined
  const layers = [...descriptors(fields, 'layers'), ...descriptors(fields, 'blobs')]
  const subject = present(fields['subject']) ? descriptor(fields['subject'], 'subject') : undefined
  const artifactType = string(fields['artifactType'], 'artifactType') || config?.mediaType
  const annotations = stringMap(fields['annotations'])
  return {
    bytes,
    digest: digestOf(bytes),
    mediaType,
    blobs: unique([...(config ? [config] : []), ...layers.filter((layer) => !layer.isElsewhere)]),
    manifests: unique(descriptors(fields, 'manifests')),
    ...(subject === undefined ? {} : { subject: subject.digest }),
    ...(artifactType ? { artifactType } : {}),
    ...(annotations === undefined ? {} : { annotations }),
  }
}

function parseObject(bytes: Buffer): Record<string, unknown> {
  let value: unknown
  try {
    value = parseJson(bytes, { maxBytes: Infinity, maxDepth: MAX_DEPTH })
  } catch (error) {
    throw invalid(error instanceof RangeError ? error.message : 'not JSON')
  }
  return object(value, 'the manifest')
}

/** The type that the manifest is stored as. A header and a document that disagree would make two images of one digest. */
function decideType(fields: Record<string, unknown>, contentType: string | undefined): string {
  const own = string(fields['mediaType'], 'mediaType')
  const given = contentType?.split(';')[0]?.trim().toLowerCase() || undefined
  if (own && given && own !== given) throw invalid(`mediaType is "${own}", the Content-Type header says "${given}"`)
  const type = given ?? own
  if (type && !MEDIA_TYPE.test(type)) throw invalid(`"${type}" is not a media type`)
  if (type) return type
  if (fields['schemaVersion'] === 2 && Array.isArray(fields['manifests'])) return MEDIA_TYPES.ociIndex
  if (fields['schemaVersion'] === 2 && present(fields['config'])) return MEDIA_TYPES.ociManifest
  throw invalid('neither the Content-Type header nor mediaType say what it is')
}

interface Referred {
  mediaType: string | undefined
  digest: Digest
  isElsewhere: boolean
}

function descriptors(fields: Record<string, unknown>, member: string): Referred[] {
  const value = fields[member]
  if (!present(value)) return []
  if (!Array.isArray(value)) throw invalid(`${member} is not a list`)
  return value.map((entry, index) => descriptor(entry, `${member}[${index}]`))
}

function descriptor(value: unknown, what: string): Referred {
  const fields = object(value, what)
  const { digest, size, urls } = fields
  if (typeof digest !== 'string') throw invalid(`${what}.digest is not a string`)
  if (!isDigest(digest)) throw new RegistryError('DIGEST_INVALID', { message: `${what}.digest is not a sha256 digest`, detail: { digest } })
  if (!Number.isSafeInteger(size) || (size as number) < 0) throw invalid(`${what}.size is not a natural number`)
  const mediaType = string(fields['mediaType'], `${what}.mediaType`)
  return { mediaType, digest, isElsewhere: FOREIGN_TYPE.test(mediaType ?? '') && Array.isArray(urls) && urls.length > 0 }
}

function unique(entries: readonly Referred[]): Digest[] {
  return [...new Set(entries.map((entry) => entry.digest))]
}

function object(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid(`${what} is not an object`)
  return value as Record<string, unknown>
}

function string(value: unknown, what: string): string | undefined {
  if (!present(value)) return undefined
  if (typeof value !== 'string') throw invalid(`${what} is not a string`)
  return value
}

function stringMap(value: unknown): Record<string, string> | undefined {
  if (!present(value)) return undefined
  const map = object(value, 'annotations')
  for (const [key, entry] of Object.entries(map)) {
    if (typeof entry !== 'string') throw invalid(`annotations["${key}"] is not a string`)
  }
  return map as Record<string, string>
}

/** As Go's decoder has it, null counts as absent. */
function present(value: unknown): boolean {
  return value !== undefined && value !== null
}

function invalid(reason: string): RegistryError {
  return new RegistryError('MANIFEST_INVALID', { detail: reason })
}
