import type { Lease } from '#content'
import { invalidArgument } from '#errors'
import type { Digest } from '#oci'
import type { Layer, Snapshotter } from '#snapshots'
import type { ImageStore } from './image-store.ts'
import { stackLayers } from './stack-layers.ts'

/** Unpacks one layer blob whose diff id is known. */
export type UnpackLayer = (blob: Digest, diffId: Digest) => Promise<Layer>

/** Checks an image whose config and layer blobs (lowest first) are stored, unpacks its layers and stacks them. Throws INVALID_ARGUMENT. */
export async function unpackImage(
  { store, snapshotter }: { store: ImageStore; snapshotter: Snapshotter },
  image: { config: Digest; layers: readonly Digest[] },
  lease: Lease,
  unpack: UnpackLayer = (blob, diffId) => snapshotter.unpack(blob, { lease, diffId }),
): Promise<void> {
  const config = store.config(image.config)
  if (config.os !== 'linux') throw invalidArgument(`cannot load ${config.os} image on linux`)
  const diffIds = config.rootfs.diff_ids
  if (diffIds.length !== image.layers.length) {
    throw invalidArgument(`invalid manifest, layers length mismatch: expected ${diffIds.length}, got ${image.layers.length}`)
  }
  await Promise.all(image.layers.map((blob, index) => unpack(blob, diffIds[index] ?? blob)))
  stackLayers(snapshotter, diffIds, lease)
}
