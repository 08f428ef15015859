/** The manifests of an image, for list and inspect. Source: Engine API 1.55, ImageManifestSummary. */

import type { ImageManifestSummary as WireManifest } from '#api'
import type { ImageManifestSummary } from '#images'

/** `users`: ids of containers by image id. */
export function encodeManifests(manifests: readonly ImageManifestSummary[], users: ReadonlyMap<string, readonly string[]>): WireManifest[] {
  return manifests.map((manifest) => ({
    ID: manifest.descriptor.digest,
    Descriptor: manifest.descriptor,
    Available: manifest.available,
    Size: { Content: manifest.contentSize, Total: manifest.contentSize + manifest.unpackedSize },
    Kind: manifest.kind,
    ...kindData(manifest, users),
  }))
}

function kindData(
  { kind, platform, image, unpackedSize, attestationFor }: ImageManifestSummary,
  users: ReadonlyMap<string, readonly string[]>,
): Pick<WireManifest, 'ImageData' | 'AttestationData'> {
  if (kind === 'attestation') return attestationFor === undefined ? {} : { AttestationData: { For: attestationFor } }
  if (kind !== 'image') return {}
  return {
    ImageData: {
      Platform: platform ?? { architecture: '', os: '' },
      Containers: image === undefined ? [] : [...(users.get(image) ?? [])],
      Size: { Unpacked: unpackedSize },
    },
  }
}
