import { MEDIA_TYPES, type Descriptor, type Platform } from '#oci'
import { compactJson, goString } from '../format/json-text.ts'

/** One image of a manifest list that is being put together. */
export interface LocalManifest {
  /** Where it lies: `docker.io/library/alpine:3`. */
  ref: string
  /** With the platform that its config, or the user, gave it. */
  descriptor: Pick<Descriptor, 'mediaType' | 'digest' | 'size' | 'platform'>
  /** The bytes that have the digest. */
  raw: Buffer
}

/** The text that Docker's CLI keeps and `inspect --verbose` shows: its own struct, compact, with the manifest once as bytes and once as an object. */
export function manifestText({ ref, descriptor, raw }: LocalManifest): string {
  const { mediaType, digest, size, platform } = descriptor
  const member = mediaType === MEDIA_TYPES.ociManifest ? 'OCIManifest' : 'SchemaV2Manifest'
  const fields = {
    mediaType,
    digest,
    size,
    ...(platform === undefined ? {} : { platform: orderedPlatform(platform) }),
  }
  return [
    `{"Ref":${goString(ref)}`,
    `"Descriptor":${compactJson(JSON.stringify(fields))}`,
    `"Raw":"${raw.toString('base64')}"`,
    `"${member}":${compactJson(raw.toString('utf8'))}}`,
  ].join(',')
}

/** The other direction. Throws Error for what is no such text, or was written by a Docker that did not keep the bytes. */
export function parseManifestText(text: string, path: string): LocalManifest {
  const file = JSON.parse(text) as { Ref?: string; Descriptor?: LocalManifest['descriptor']; Raw?: string }
  if (file.Ref === undefined || file.Descriptor === undefined || file.Raw === undefined)
    throw new Error(`${path} is not complete: create the manifest list again`)
  return { ref: file.Ref, descriptor: file.Descriptor, raw: Buffer.from(file.Raw, 'base64') }
}

/** Members in the order of Go's struct; empty ones left out. */
export function orderedPlatform(platform: Partial<Platform>): Platform {
  const version = platform['os.version'] ?? ''
  const features = platform['os.features'] ?? []
  return {
    architecture: platform.architecture ?? '',
    os: platform.os ?? '',
    ...(version === '' ? {} : { 'os.version': version }),
    ...(features.length === 0 ? {} : { 'os.features': features }),
    ...(platform.variant ? { variant: platform.variant } : {}),
  }
}

/** The manifest list of these images, byte for byte as Docker's CLI pushes it: an index when its first image is an OCI one. */
export function manifestList(manifests: readonly LocalManifest[]): { mediaType: string; bytes: Buffer } {
  const isOci = manifests[0]?.descriptor.mediaType === MEDIA_TYPES.ociManifest
  const mediaType = isOci ? MEDIA_TYPES.ociIndex : MEDIA_TYPES.dockerManifestList
  const entries = manifests.map(({ descriptor: { mediaType: kind, size, digest, platform = {} } }) => {
    return { mediaType: kind, size, digest, platform: orderedPlatform(platform) }
  })
  const list = { schemaVersion: 2, mediaType, manifests: entries }
  return { mediaType, bytes: Buffer.from(JSON.stringify(list, undefined, '   ')) }
}
