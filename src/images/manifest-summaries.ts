import type { ContentStore } from '#content'
import { decodeImageConfig, isDigest, MAX_CONFIG_SIZE } from '#oci'
import type { Descriptor, Digest, ImageConfigFile, ImageManifest } from '#oci'
import type { Snapshotter } from '#snapshots'
import type { ImageStore } from './image-store.ts'
import { REFERENCE_DIGEST } from './manifest-graph.ts'
import type { LeafManifest, ManifestGraph } from './manifest-graph.ts'
import type { ImageManifestSummary } from './types.ts'

export interface ManifestDeps {
  store: ImageStore
  graph: ManifestGraph
  content: ContentStore
  snapshotter: Snapshotter
}

/** What there is of each manifest of a target. */
export function summariseManifests(deps: ManifestDeps, target: Descriptor): ImageManifestSummary[] {
  return deps.graph.leaves(target).map((leaf) => summarise(deps, leaf))
}

function summarise(deps: ManifestDeps, leaf: LeafManifest): ImageManifestSummary {
  const { store, content } = deps
  const { descriptor, kind, manifest } = leaf
  const platform = deps.graph.platform(leaf)
  const blobs = [descriptor, ...(manifest === undefined ? [] : [manifest.config, ...manifest.layers])]
  const present = new Set(blobs.map(({ digest }) => digest).filter((digest) => content.has(digest)))
  const row = manifest === undefined ? undefined : store.row(manifest.config.digest)
  const subject = descriptor.annotations?.[REFERENCE_DIGEST]
  return {
    descriptor,
    kind,
    available: isAvailable(deps, manifest),
    contentSize: [...present].reduce((sum, digest) => sum + content.size(digest), 0),
    ...(platform === undefined ? {} : { platform }),
    ...(manifest === undefined || row === undefined ? {} : { image: manifest.config.digest }),
    unpackedSize: row?.size ?? 0,
    ...(kind === 'attestation' && isDigest(subject) ? { attestationFor: subject } : {}),
  }
}

/** Whether an image can be had from a manifest without asking a registry: its layers are here, packed or unpacked. */
export function isAvailable(deps: ManifestDeps, manifest: ImageManifest | undefined): manifest is ImageManifest {
  if (manifest === undefined || !deps.content.has(manifest.config.digest)) return false
  const isHere = ({ digest }: Descriptor): boolean => deps.content.has(digest)
  return manifest.layers.every(isHere) || isUnpacked(deps, manifest.config.digest)
}

function isUnpacked({ content, snapshotter }: ManifestDeps, config: Digest): boolean {
  return readConfig(content, config)?.rootfs.diff_ids.every((diffId) => snapshotter.findLayer(diffId) !== undefined) ?? false
}

/** Undefined for what is no image config: artifacts have configs of their own kind. */
function readConfig(content: ContentStore, config: Digest): ImageConfigFile | undefined {
  try {
    return decodeImageConfig(content.readAll(config, MAX_CONFIG_SIZE))
  } catch {
    return undefined
  }
}
