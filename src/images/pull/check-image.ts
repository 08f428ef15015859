/** What a manifest and its config must be to make an image that runs here. All throw INVALID_ARGUMENT. */

import { invalidArgument } from '#errors'
import { MAX_CONFIG_SIZE, MEDIA_TYPES } from '#oci'
import type { ImageConfigFile, ImageManifest } from '#oci'

/** Registries of old stored configs without their type. Source: moby daemon/internal/distribution, ImageTypes. */
const CONFIG_TYPES: ReadonlySet<string> = new Set([
  MEDIA_TYPES.ociConfig,
  MEDIA_TYPES.dockerConfig,
  'application/octet-stream',
  'text/html',
  '',
])

/** Layers, among them such as may not be given on by registries (base layers of Windows, which come by their URLs). */
const LAYER_TYPE =
  /^application\/vnd\.(oci\.image\.layer(\.nondistributable)?\.v1\.tar(\+gzip|\+zstd)?|docker\.image\.rootfs(\.foreign)?\.diff\.tar(\.gzip|\.zstd)?)$/

/** Artifacts (charts, signatures, attestations) come as manifests, too. */
export function checkManifest({ config, layers }: ImageManifest): void {
  if (!CONFIG_TYPES.has(config.mediaType)) throw unsupported(config.mediaType)
  for (const { mediaType } of layers) if (!LAYER_TYPE.test(mediaType)) throw unsupported(mediaType)
  if (config.size > MAX_CONFIG_SIZE) {
    throw invalidArgument(`invalid image config: ${config.size} bytes, at most ${MAX_CONFIG_SIZE} are allowed`)
  }
}

/** Before the first layer is downloaded. */
export function checkConfig(config: ImageConfigFile, { layers }: ImageManifest): void {
  if (config.os !== 'linux') throw invalidArgument(`image operating system "${config.os}" cannot be used on this platform`)
  if (config.rootfs.diff_ids.length !== layers.length) throw mismatch()
}

/** The manifest's layers are not the config's. */
export function mismatch(): Error {
  return invalidArgument("layers from manifest don't match image configuration")
}

function unsupported(mediaType: string): Error {
  return invalidArgument(`unsupported media type ${mediaType}`)
}
