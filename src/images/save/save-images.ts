import { Readable } from 'node:stream'
import { tarEntry, writeTar } from '#archive'
import type { WritableEntry } from '#archive'
import { chainIds, familiarName, familiarString, fullString, hexOf, MEDIA_TYPES } from '#oci'
import type { Digest, ImageIndex, Platform } from '#oci'
import type { ManifestDeps } from '../manifest-summaries.ts'
import { archiveImage } from './archived-image.ts'
import type { ArchivedImage } from './archived-image.ts'
import type { SavedImage } from './choose-images.ts'

/**
 * The archive: an OCI layout, and Docker's `manifest.json` and `repositories` beside it, as Docker writes it since 25. Equal images give equal archives:
 * times are the images' own. Throws at once NOT_FOUND for a platform that is not here, DATA_LOSS for content that is lost. Until the archive is closed all
 * that it consists of is under a lease.
 */
export function saveImages(deps: ManifestDeps, images: readonly SavedImage[], platforms: readonly Platform[]): Readable {
  using undo = new DisposableStack()
  // All of it now: the rows may be gone when their turn comes. A download takes as long as the client likes; what is removed meanwhile stays until it is over.
  const lease = undo.use(deps.content.lease())
  const archived = images.map((image) => archiveImage(deps, image, platforms))
  for (const image of archived) for (const digest of heldFor(deps, image)) lease.hold(digest)
  const archive = Readable.from(writeTar(archiveEntries(archived)), { objectMode: false })
  const held = undo.move()
  return archive.once('close', () => held.dispose())
}

function* archiveEntries(images: readonly ArchivedImage[]): Generator<WritableEntry, void, void> {
  yield { entry: tarEntry({ type: 'directory', path: 'blobs/', mode: 0o755 }) }
  yield { entry: tarEntry({ type: 'directory', path: 'blobs/sha256/', mode: 0o755 }) }
  const written = new Set<Digest>()
  for (const { digest, size, open } of images.flatMap(({ blobs }) => blobs)) {
    if (written.has(digest)) continue
    written.add(digest)
    yield { entry: tarEntry({ path: `blobs/sha256/${hexOf(digest)}`, size }), body: open() }
  }
  yield document('index.json', index(images))
  yield document('manifest.json', images.map(dockerManifest))
  yield document('oci-layout', { imageLayoutVersion: '1.0.0' })
  yield document('repositories', repositories(images))
}

/** Blobs, and the layers that are read from where they are unpacked. */
function heldFor({ store }: ManifestDeps, { blobs, single, isMade }: ArchivedImage): Digest[] {
  return [...blobs.map(({ digest }) => digest), ...(isMade ? chainIds(store.config(single.config).rootfs.diff_ids) : [])]
}

/** One entry for each name, or one without. */
function index(images: readonly ArchivedImage[]): ImageIndex {
  const manifests = images.flatMap(({ descriptor, saved: { names } }) =>
    names.length === 0
      ? [descriptor]
      : names.map((name) => ({
          ...descriptor,
          annotations: { 'io.containerd.image.name': fullString(name), 'org.opencontainers.image.ref.name': name.tag ?? '' },
        })),
  )
  return { schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests }
}

/** `LayerSources` tells whoever loads it that the manifest was made for the archive: Docker writes it in that case only, too. */
function dockerManifest({ saved: { names }, single: { config, layers }, isMade }: ArchivedImage): object {
  return {
    Config: `blobs/sha256/${hexOf(config)}`,
    RepoTags: names.length === 0 ? null : names.map(familiarString),
    Layers: layers.map(({ digest }) => `blobs/sha256/${hexOf(digest)}`),
    ...(isMade ? { LayerSources: Object.fromEntries(layers.map((layer) => [layer.digest, layer])) } : {}),
  }
}

/** What Docker before 1.10 read: repository → tag → topmost layer. */
function repositories(images: readonly ArchivedImage[]): Record<string, Record<string, string>> {
  const result: Record<string, Record<string, string>> = {}
  for (const { saved, single } of images) {
    const top = single.layers.at(-1)
    for (const name of saved.names) if (top !== undefined) (result[familiarName(name)] ??= {})[name.tag ?? ''] = hexOf(top.digest)
  }
  return result
}

function document(path: string, value: unknown): WritableEntry {
  const bytes = Buffer.from(JSON.stringify(value))
  return { entry: tarEntry({ path, size: bytes.length }), body: [bytes] }
}
