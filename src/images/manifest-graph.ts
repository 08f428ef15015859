import type { ContentStore } from '#content'
import { decodeImageConfig, decodeManifest, MAX_CONFIG_SIZE, MAX_MANIFEST_SIZE, MEDIA_TYPES } from '#oci'
import type { Descriptor, Digest, ImageManifest, ManifestDocument, Platform } from '#oci'

/** One manifest of a target: the target itself, or what its index (and the indexes in it) lists. */
export interface LeafManifest {
  descriptor: Descriptor
  /** An attestation speaks of another manifest (provenance, list of packages); unknown is what is no image of any platform. */
  kind: 'image' | 'attestation' | 'unknown'
  /** Undefined when it is not here: a pull fetches one platform's only. */
  manifest: ImageManifest | undefined
}

/** Manifests and indexes that are here, decoded once: lists and collections ask for the same ones again and again. */
export interface ManifestGraph {
  /** Undefined when it is not here, or is no manifest. */
  document(digest: Digest): ManifestDocument | undefined
  /** In the order of the indexes. */
  leaves(target: Descriptor): LeafManifest[]
  /** Adds everything that `target` consists of, here or not, to `found`: indexes, manifests, configs, layers. `except`: manifests that are passed over. */
  closure(target: Descriptor, found: Set<Digest>, except?: ReadonlySet<Digest>): void
  /** The platform a leaf was made for; undefined when neither index nor config say so. */
  platform(leaf: LeafManifest): Platform | undefined
  /** Forgets the documents that are not among these. */
  retain(digests: ReadonlySet<Digest>): void
}

/** BuildKit's marker of manifests that describe other manifests. Source: buildkit docs/attestations/attestation-storage.md. */
const REFERENCE_TYPE = 'vnd.docker.reference.type'
const ATTESTATION = 'attestation-manifest'
/** The manifest that an attestation speaks of. */
export const REFERENCE_DIGEST = 'vnd.docker.reference.digest'

const MANIFEST_TYPES: ReadonlySet<string> = new Set([
  MEDIA_TYPES.ociManifest,
  MEDIA_TYPES.ociIndex,
  MEDIA_TYPES.dockerManifest,
  MEDIA_TYPES.dockerManifestList,
])
const CONFIG_TYPES: ReadonlySet<string> = new Set([MEDIA_TYPES.ociConfig, MEDIA_TYPES.dockerConfig])

export function createManifestGraph({ content }: { content: ContentStore }): ManifestGraph {
  const documents = new Map<Digest, ManifestDocument>()

  function document(digest: Digest): ManifestDocument | undefined {
    const known = documents.get(digest)
    if (known !== undefined) return known
    if (!content.has(digest)) return undefined
    const decoded = decode(digest)
    if (decoded !== undefined) documents.set(digest, decoded)
    return decoded
  }

  /** What is no manifest is a blob like others: an index may list anything. */
  function decode(digest: Digest): ManifestDocument | undefined {
    try {
      return decodeManifest(content.readAll(digest, MAX_MANIFEST_SIZE))
    } catch {
      return undefined
    }
  }

  /** Attack: an index that lists the same index twice, that one another twice …: each is visited once. */
  function* walk(target: Descriptor, seen: Set<Digest>): Generator<LeafManifest, void, void> {
    if (seen.has(target.digest)) return
    seen.add(target.digest)
    const found = mayBeManifest(target) ? document(target.digest) : undefined
    if (found?.kind === 'index') for (const child of found.index.manifests) yield* walk(child, seen)
    else yield { descriptor: target, kind: kindOf(target, found?.manifest), manifest: found?.manifest }
  }

  function closure(target: Descriptor, found: Set<Digest>, except: ReadonlySet<Digest> = new Set()): void {
    if (found.has(target.digest) || except.has(target.digest)) return
    found.add(target.digest)
    const known = mayBeManifest(target) ? document(target.digest) : undefined
    if (known?.kind === 'index') for (const child of known.index.manifests) closure(child, found, except)
    else if (known !== undefined) for (const { digest } of [known.manifest.config, ...known.manifest.layers]) found.add(digest)
  }

  return {
    document,
    leaves: (target) => [...walk(target, new Set())],
    closure,
    platform({ descriptor, manifest, kind }) {
      if (descriptor.platform !== undefined || kind !== 'image' || manifest === undefined) return descriptor.platform
      if (!content.has(manifest.config.digest)) return undefined
      const { os, architecture, variant } = decodeImageConfig(content.readAll(manifest.config.digest, MAX_CONFIG_SIZE))
      return { os, architecture, ...(variant === undefined ? {} : { variant }) }
    },
    retain(digests) {
      for (const digest of documents.keys()) if (!digests.has(digest)) documents.delete(digest)
    },
  }
}

/** Whether a descriptor may name a manifest or index; old writers left the media type out. */
function mayBeManifest({ mediaType }: Descriptor): boolean {
  return mediaType === '' || MANIFEST_TYPES.has(mediaType)
}

export function isAttestation({ annotations = {} }: Descriptor): boolean {
  return annotations[REFERENCE_TYPE] === ATTESTATION
}

function kindOf(descriptor: Descriptor, manifest: ImageManifest | undefined): LeafManifest['kind'] {
  if (isAttestation(descriptor)) return 'attestation'
  if (manifest !== undefined) return CONFIG_TYPES.has(manifest.config.mediaType) ? 'image' : 'unknown'
  return descriptor.platform === undefined || descriptor.platform.os === 'unknown' ? 'unknown' : 'image'
}
