/**
 * What `docker save` writes of an image: its manifest, index and compressed layers as they came, when they are here (as Docker 29 does), so that its digest
 * survives; else a manifest made of the config and the uncompressed layers (as Docker 25 does).
 */

import { EngineError } from '#errors'
import { chainIds, digestOf, MAX_CONFIG_SIZE, MEDIA_TYPES, platformMatches } from '#oci'
import type { Descriptor, Digest, ImageManifest, Platform } from '#oci'
import type { LeafManifest, ManifestGraph } from '../manifest-graph.ts'
import type { ManifestDeps } from '../manifest-summaries.ts'
import { chooseManifest, platformNotFound } from '../resolve-image.ts'
import type { ArchivedImage } from './archive-files.ts'
import type { SavedImage } from './choose-images.ts'

/** Throws NOT_FOUND for a platform that is not here, DATA_LOSS for a layer whose archive is lost. */
export function archiveImage(deps: ManifestDeps, saved: SavedImage, platforms: readonly Platform[]): ArchivedImage {
  const { id, target, ref } = saved
  if (target === undefined) {
    for (const platform of platforms) if (!platformMatches(platform, deps.store.config(id))) throw platformNotFound(ref, platform)
    return makeArchived(deps, saved, id)
  }
  const chosen = platforms.map((platform) => {
    const found = chooseManifest(deps, target, platform)
    if (found === undefined) throw platformNotFound(ref, platform)
    return found
  })
  const [first] = chosen
  // One platform is saved without the index: whoever loads it has no use for the others.
  const root = chosen.length === 1 && first !== undefined ? first.descriptor : target
  const wanted = new Set(chosen.map(({ descriptor }) => descriptor.digest))
  const kept = archiveTarget(deps, saved, root, wanted)
  if (kept === undefined && chosen.length > 1)
    throw dataLoss(`image ${ref}: not all layers are here as they came; save one platform at a time`)
  return kept ?? makeArchived(deps, saved, first?.manifest.config.digest ?? id)
}

type CompleteLeaf = LeafManifest & { manifest: ImageManifest }

/** `wanted`: manifests of images; empty: all that are here, and at least the image itself. Undefined when blobs of what is wanted are missing. */
function archiveTarget(deps: ManifestDeps, saved: SavedImage, root: Descriptor, wanted: ReadonlySet<Digest>): ArchivedImage | undefined {
  const { graph, content } = deps
  const isComplete = (leaf: LeafManifest): leaf is CompleteLeaf =>
    leaf.manifest !== undefined && [leaf.manifest.config, ...leaf.manifest.layers].every(({ digest }) => content.has(digest))
  const isWanted = ({ descriptor }: LeafManifest): boolean => wanted.size === 0 || wanted.has(descriptor.digest)
  const leaves = graph.leaves(root).filter((leaf): leaf is CompleteLeaf => isWanted(leaf) && isComplete(leaf))
  const images = leaves.filter(({ kind }) => kind === 'image')
  const own = images.find(({ manifest }) => manifest.config.digest === saved.id)
  // Another platform in the place of what is wanted would be the wrong image, and nobody would know.
  const main = wanted.size === 0 ? own : images.length === wanted.size ? (own ?? images[0]) : undefined
  if (main === undefined) return undefined
  const digests = new Set<Digest>(indexes(graph, root))
  for (const { descriptor, manifest } of leaves) {
    for (const { digest } of [...manifest.layers, manifest.config, descriptor]) digests.add(digest)
  }
  const { mediaType, digest, size } = root
  return {
    names: saved.names,
    descriptor: { mediaType, digest, size },
    single: { config: main.manifest.config.digest, layers: main.manifest.layers },
    isMade: false,
    blobs: [...digests].map((blob) => ({
      digest: blob,
      size: content.size(blob),
      open: () => content.read(blob) as AsyncIterable<Buffer>,
    })),
  }
}

/** The indexes between a target and its manifests, itself included. */
function indexes(graph: ManifestGraph, { digest }: Descriptor): Digest[] {
  const document = graph.document(digest)
  return document?.kind === 'index' ? [digest, ...document.index.manifests.flatMap((child) => indexes(graph, child))] : []
}

function makeArchived({ store, content, snapshotter }: ManifestDeps, saved: SavedImage, id: Digest): ArchivedImage {
  const config = content.readAll(id, MAX_CONFIG_SIZE)
  const chains = chainIds(store.config(id).rootfs.diff_ids)
  const layers = chains.map((chain) => snapshotter.layer(chain))
  for (const { diffId, blob, recipe } of layers) {
    // What fails after the first byte is a broken file on the user's disk.
    if (recipe !== true && !content.has(blob)) {
      throw dataLoss(`layer ${diffId}: its archive is gone; pull or load the image again`)
    }
  }
  const descriptors = layers.map(({ diffId, tarSize }) => ({ mediaType: MEDIA_TYPES.ociLayer, digest: diffId, size: tarSize }))
  const manifest: ImageManifest = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.ociManifest,
    config: { mediaType: MEDIA_TYPES.ociConfig, digest: id, size: config.length },
    layers: descriptors,
  }
  const bytes = Buffer.from(JSON.stringify(manifest))
  const descriptor = { mediaType: MEDIA_TYPES.ociManifest, digest: digestOf(bytes), size: bytes.length }
  const tars = chains.map((chain, index) => ({
    digest: layers[index]?.diffId ?? chain,
    size: layers[index]?.tarSize ?? 0,
    open: () => snapshotter.layerTar(chain) as AsyncIterable<Buffer>,
  }))
  return {
    names: saved.names,
    descriptor,
    single: { config: id, layers: descriptors },
    isMade: true,
    blobs: [...tars, { digest: id, size: config.length, open: () => [config] }, { ...descriptor, open: () => [bytes] }],
  }
}

function dataLoss(message: string): Error {
  return new EngineError('DATA_LOSS', message)
}
