/** Volumes: create request and answers. */

import type { Volume as WireVolume } from '#api'
import type { Volume } from '#volumes'
import { field, struct, text, textMap, type StructCodec } from './codec.ts'

export interface VolumeCreate {
  name: string
  driver: string
  options: Record<string, string>
  labels: Record<string, string>
  clusterVolumeSpec: object
}

export const volumeCreate: StructCodec<VolumeCreate> = struct<VolumeCreate>('volume.CreateOptions', {
  name: field('Name', text),
  driver: field('Driver', text),
  options: field('DriverOpts', textMap),
  labels: field('Labels', textMap),
  clusterVolumeSpec: field('ClusterVolumeSpec', { decode: (json) => json as object, encode: (value) => value, isZero: () => false }),
})

const emptyToNull = (map: Record<string, string>): Record<string, string> | null => (Object.keys(map).length > 0 ? map : null)

export function encodeVolume(volume: Volume): WireVolume {
  return {
    CreatedAt: volume.createdAt,
    Driver: volume.driver,
    Labels: emptyToNull(volume.labels),
    Mountpoint: volume.mountpoint,
    Name: volume.name,
    Options: emptyToNull(volume.options),
    Scope: volume.scope,
    ...(volume.status !== undefined && { Status: volume.status }),
  }
}
