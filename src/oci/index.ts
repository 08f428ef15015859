/**
 * Pure data of the OCI specifications: digests, references, descriptors, manifests, image configs, runtime configs; types and codecs.
 *
 * Everything that strangers wrote (names, manifests, configs) is decoded here, once, with limits; past this border the types hold.
 *
 * Glossary:
 * - *digest*: `sha256:` and 64 hex digits; names bytes. *diff id*: digest of a layer's uncompressed tar. *chain id*: digest of a stack of
 *   diff ids, names a layer together with what is below it. *image id*: digest of the config.
 * - *reference*: name of an image. *full*: `docker.io/library/alpine:3`. *familiar*: `alpine:3`.
 * - *manifest*: config and layers of one image by descriptor. *index*: manifests by platform.
 *
 * ```ts
 * const reference = withDefaultTag(parseReference('alpine'))
 * fullString(reference) // docker.io/library/alpine:latest
 * const config = decodeImageConfig(bytes)
 * chainIds(config.rootfs.diff_ids).at(-1) // the root file system
 * ```
 */
export type {
  CapabilitySets,
  DeviceSpec,
  HookSpec,
  HooksSpec,
  IdMapping,
  LinuxSpec,
  MountSpec,
  NamespaceType,
  ProcessSpec,
  ResourcesSpec,
  RuntimeSpec,
  SeccompRule,
  SeccompSpec,
  ThrottleDevice,
} from './runtime-spec.ts'
export { MEDIA_TYPES } from './image-spec.ts'
export type {
  Descriptor,
  Digest,
  ImageConfigFile,
  ImageHistoryEntry,
  ImageIndex,
  ImageManifest,
  ImageProcessConfig,
  Platform,
} from './image-spec.ts'
export { createDigester, digestOf, hexOf, isDigest, parseDigest } from './digest.ts'
export type { Digester } from './digest.ts'
export { chainId, chainIds } from './chain-id.ts'
export {
  DEFAULT_TAG,
  familiarName,
  familiarString,
  fullName,
  fullString,
  parseAnyReference,
  parseReference,
  parseTag,
  withDefaultTag,
} from './reference.ts'
export type { Reference } from './reference.ts'
export { compileReferencePattern } from './reference-pattern.ts'
export { choosePlatform, formatPlatform, hostPlatform, normalisePlatform, parsePlatform, platformMatches } from './platform.ts'
export { decodeManifest, MAX_MANIFEST_SIZE } from './manifest.ts'
export type { ManifestDocument } from './manifest.ts'
export { decodeImageConfig, MAX_CONFIG_SIZE } from './image-config.ts'
