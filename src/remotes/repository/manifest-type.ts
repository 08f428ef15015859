import { invalidArgument } from '#errors'
import { fullString, MEDIA_TYPES } from '#oci'
import type { Reference } from '#oci'
import { parseJson } from '#lib'
import { MAX_MANIFEST_SIZE } from '#oci'

/** What we can read, as sent in `Accept`. Registries convert, or refuse, by it. */
export const ACCEPTED_MANIFESTS: readonly string[] = [
  MEDIA_TYPES.dockerManifest,
  MEDIA_TYPES.dockerManifestList,
  MEDIA_TYPES.ociManifest,
  MEDIA_TYPES.ociIndex,
]

const SCHEMA1_TYPES: ReadonlySet<string> = new Set([
  'application/vnd.docker.distribution.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v1+prettyjws',
])

/** Manifests are nested a few levels; annotations may hold JSON, but as text. */
const MAX_DEPTH = 64

/** `Content-Type` without its parameters, in lower case. */
export function mediaTypeOf(header: string | undefined): string {
  return (header ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''
}

/** Throws INVALID_ARGUMENT with Docker's text for the formats of 2013 to 2016. */
export function refuseSchema1(mediaType: string, name: Reference): void {
  if (SCHEMA1_TYPES.has(mediaType)) throw schema1Error(name)
}

/**
 * The media type of a manifest: what its body says, or the header where the body says nothing. Two that differ are refused: the same bytes
 * would mean one thing to us and another to the next reader (CVE-2021-41190). Throws INVALID_ARGUMENT.
 */
export function manifestMediaType(bytes: Buffer, header: string | undefined, name: Reference): string {
  const told = mediaTypeOf(header)
  refuseSchema1(told, name)
  const document = parseObject(bytes)
  if (document['schemaVersion'] === 1) throw schema1Error(name)
  const own = typeof document['mediaType'] === 'string' ? document['mediaType'] : ''
  const known = ACCEPTED_MANIFESTS.includes(told)
  if (own !== '') {
    if (known && own !== told) throw invalidArgument(`mediaType in manifest should be '${told}' not '${own}'`)
    return own
  }
  if (known) return told
  // Served as `application/json` or the like, by a plain file server: OCI documents need not name their type.
  return document['manifests'] === undefined ? MEDIA_TYPES.ociManifest : MEDIA_TYPES.ociIndex
}

function parseObject(bytes: Buffer): Record<string, unknown> {
  let document: unknown
  try {
    document = parseJson(bytes, { maxBytes: MAX_MANIFEST_SIZE, maxDepth: MAX_DEPTH })
  } catch (error) {
    throw invalidArgument('unsupported manifest format', error)
  }
  if (typeof document !== 'object' || document === null || Array.isArray(document)) throw invalidArgument('unsupported manifest format')
  return document as Record<string, unknown>
}

function schema1Error(name: Reference): Error {
  return invalidArgument(
    'Docker Image Format v1 and Docker Image manifest version 2, schema 1 support has been removed. ' +
      `Suggest the author of ${fullString(name)} to upgrade the image to the OCI Format or Docker Image manifest v2, schema 2. ` +
      'More information at https://docs.docker.com/go/deprecated-image-specs/',
  )
}
