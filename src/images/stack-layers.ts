import type { Lease } from '#content'
import type { Digest } from '#oci'
import type { ChainId, Snapshotter } from '#snapshots'

/** Puts unpacked layers, lowest first, on top of each other. Gives the chain; undefined for none. Throws NOT_FOUND when a layer is not here. */
export function stackLayers(snapshotter: Pick<Snapshotter, 'stack'>, diffIds: readonly Digest[], lease: Lease): ChainId | undefined {
  return diffIds.reduce<ChainId | undefined>((chain, diffId) => snapshotter.stack(chain, diffId, lease), undefined)
}
