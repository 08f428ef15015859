/** Manifests and indexes of a build's images. Pure: bytes are stored by `assemble-images.ts`. */

import { digestOf, MEDIA_TYPES } from '#oci'
import type { Descriptor, Digest, ImageIndex, ImageManifest } from '#oci'

/** Bytes to be stored, and what names them. */
export interface Document {
  descriptor: Descriptor
  bytes: Buffer
}

const DOCKER_TYPES: Readonly<Record<string, string>> = {
  [MEDIA_TYPES.ociManifest]: MEDIA_TYPES.dockerManifest,
  [MEDIA_TYPES.ociIndex]: MEDIA_TYPES.dockerManifestList,
  [MEDIA_TYPES.ociConfig]: MEDIA_TYPES.dockerConfig,
  [MEDIA_TYPES.ociLayer]: MEDIA_TYPES.dockerLayer,
  [MEDIA_TYPES.ociLayerGzip]: MEDIA_TYPES.dockerLayerGzip,
}

/** The type as Docker called it before the OCI; what has no such name keeps its own. */
export function mediaType(type: string, ociTypes: boolean): string {
  return ociTypes ? type : (DOCKER_TYPES[type] ?? type)
}

export interface ManifestMembers {
  ociTypes: boolean
  annotations?: Record<string, string> | undefined
  /** Of what is no image: what it is, and the manifest it speaks of, by which registries list it. Source: image-spec v1.1.1 manifest.md. */
  artifact?: { artifactType: string; subject: Descriptor } | undefined
}

/** `layers` lowest first; their media types are the OCI's. Docker's manifests have no annotations of layers. */
export function makeManifest(
  config: { digest: Digest; size: number; mediaType?: string },
  layers: readonly Descriptor[],
  { ociTypes, annotations, artifact }: ManifestMembers,
): Document {
  const manifest: ImageManifest & Partial<NonNullable<ManifestMembers['artifact']>> = {
    schemaVersion: 2,
    mediaType: mediaType(MEDIA_TYPES.ociManifest, ociTypes),
    ...(artifact === undefined ? {} : { artifactType: artifact.artifactType }),
    config: { mediaType: config.mediaType ?? mediaType(MEDIA_TYPES.ociConfig, ociTypes), digest: config.digest, size: config.size },
    layers: layers.map((layer) => ({
      mediaType: mediaType(layer.mediaType, ociTypes),
      digest: layer.digest,
      size: layer.size,
      ...(layer.annotations === undefined || !ociTypes ? {} : { annotations: layer.annotations }),
    })),
    ...(artifact === undefined ? {} : { subject: artifact.subject }),
    ...(annotations === undefined ? {} : { annotations }),
  }
  return document(manifest.mediaType ?? '', manifest)
}

export function makeIndex(
  manifests: readonly Descriptor[],
  { ociTypes, annotations }: { ociTypes: boolean; annotations?: Record<string, string> | undefined },
): Document {
  const index: ImageIndex = {
    schemaVersion: 2,
    mediaType: mediaType(MEDIA_TYPES.ociIndex, ociTypes),
    manifests: [...manifests],
    ...(annotations === undefined ? {} : { annotations }),
  }
  return document(index.mediaType ?? '', index)
}

/** A document of this media type; indented as BuildKit writes them, for people who look at them with curl. */
export function document(type: string, content: object): Document {
  const bytes = Buffer.from(JSON.stringify(content, null, 2))
  return { descriptor: { mediaType: type, digest: digestOf(bytes), size: bytes.length }, bytes }
}
