import type { Blob } from '#content'
import { digestOf, MEDIA_TYPES } from '#oci'
import type { Descriptor } from '#oci'
import type { PushManifest } from './push-plan.ts'

/**
 * The manifest of an image that was made here: Docker's schema 2, as dockerd makes it, in the same spelling, so that both give the same digest for the same
 * layers. Source: distribution manifest/schema2/manifest.go. Layers lowest first, all gzip.
 */
export function makeManifest(config: Blob, layers: readonly Blob[]): PushManifest {
  const describe = (mediaType: string, { digest, size }: Blob): object => ({ mediaType, size, digest })
  const manifest = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.dockerManifest,
    config: describe(MEDIA_TYPES.dockerConfig, config),
    layers: layers.map((layer) => describe(MEDIA_TYPES.dockerLayerGzip, layer)),
  }
  const bytes = Buffer.from(JSON.stringify(manifest, null, 3))
  const descriptor: Descriptor = { mediaType: MEDIA_TYPES.dockerManifest, digest: digestOf(bytes), size: bytes.length }
  return { descriptor, bytes }
}
