import { invalidArgument } from '#errors'
import { MEDIA_TYPES } from './image-spec.ts'
import type { Descriptor, ImageIndex, ImageManifest, Platform } from './image-spec.ts'
import { array, digest, natural, object, optional, parseJsonObject, string, stringMap } from './shape.ts'

/** Bytes. The limit that distribution-spec v1.1 asks registries to accept at least. */
export const MAX_MANIFEST_SIZE: number = 4 * 1024 * 1024
const MAX_LAYERS = 1024
const MAX_MANIFESTS = 4096

/** What a manifest document turned out to be. */
export type ManifestDocument = { kind: 'manifest'; manifest: ImageManifest } | { kind: 'index'; index: ImageIndex }

/**
 * Decodes a manifest or index, OCI or Docker v2 schema 2. A document that is both is refused (CVE-2021-41190: its meaning would depend on
 * the media type somebody else gave it). Throws INVALID_ARGUMENT.
 */
export function decodeManifest(bytes: Uint8Array): ManifestDocument {
  const document = parseJsonObject(bytes, 'manifest', MAX_MANIFEST_SIZE)
  const mediaType = optional(document['mediaType'], 'manifest.mediaType', string)
  if (document['schemaVersion'] !== 2)
    throw invalidArgument(`invalid manifest: schema version ${String(document['schemaVersion'])} is not supported`)
  const common = {
    schemaVersion: 2 as const,
    ...present('mediaType', mediaType),
    ...present('annotations', optional(document['annotations'], 'manifest.annotations', stringMap)),
  }
  const hasManifests = document['manifests'] !== undefined
  const hasLayers = document['layers'] !== undefined || document['config'] !== undefined
  if (hasManifests === hasLayers) throw invalidArgument('invalid manifest: must have either manifests or config and layers')
  if (hasManifests) {
    if (mediaType !== undefined && !INDEX_TYPES.has(mediaType))
      throw invalidArgument(`invalid manifest: an index of media type ${mediaType}`)
    return { kind: 'index', index: { ...common, manifests: array(document['manifests'], 'index.manifests', MAX_MANIFESTS, descriptor) } }
  }
  if (mediaType !== undefined && INDEX_TYPES.has(mediaType)) throw invalidArgument(`invalid manifest: layers with media type ${mediaType}`)
  return {
    kind: 'manifest',
    manifest: {
      ...common,
      config: descriptor(document['config'], 'manifest.config'),
      layers: array(document['layers'], 'manifest.layers', MAX_LAYERS, descriptor),
    },
  }
}

const INDEX_TYPES: ReadonlySet<string> = new Set([MEDIA_TYPES.ociIndex, MEDIA_TYPES.dockerManifestList])

function descriptor(value: unknown, what: string): Descriptor {
  const fields = object(value, what)
  return {
    mediaType: string(fields['mediaType'] ?? '', `${what}.mediaType`),
    digest: digest(fields['digest'], `${what}.digest`),
    size: natural(fields['size'], `${what}.size`),
    ...present('annotations', optional(fields['annotations'], `${what}.annotations`, stringMap)),
    ...present('platform', optional(fields['platform'], `${what}.platform`, platform)),
    ...present(
      'urls',
      optional(fields['urls'], `${what}.urls`, (urls, name) => array(urls, name, 64, string)),
    ),
  }
}

function platform(value: unknown, what: string): Platform {
  const fields = object(value, what)
  return {
    architecture: string(fields['architecture'] ?? '', `${what}.architecture`),
    os: string(fields['os'] ?? '', `${what}.os`),
    ...present('variant', optional(fields['variant'], `${what}.variant`, string)),
    ...present('os.version', optional(fields['os.version'], `${what}.os.version`, string)),
    ...present(
      'os.features',
      optional(fields['os.features'], `${what}.os.features`, (features, name) => array(features, name, 64, string)),
    ),
  }
}

/** An object with the member, or without it where there is no value. */
function present<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { [P in K]: V })
}
