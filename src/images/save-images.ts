import { tarEntry, writeTar } from '#archive'
import type { WritableEntry } from '#archive'
import type { ContentStore } from '#content'
import { notFound } from '#errors'
import {
  chainIds,
  digestOf,
  familiarName,
  familiarString,
  fullString,
  hexOf,
  MAX_CONFIG_SIZE,
  MEDIA_TYPES,
  parseAnyReference,
  withDefaultTag,
} from '#oci'
import type { Descriptor, Digest, ImageIndex, ImageManifest, Reference } from '#oci'
import type { Snapshotter } from '#snapshots'
import { findImage } from './find-image.ts'
import type { ImageStore } from './image-store.ts'

export interface SaveDeps {
  store: ImageStore
  content: ContentStore
  snapshotter: Snapshotter
}

/** An image to save, with the names it was asked for by. */
interface SavedImage {
  id: Digest
  names: Reference[]
}

/**
 * The images that `docker save x y` means, in order: a name with a tag is that name, one without is all tags of the repository, an id has no
 * name. Throws NOT_FOUND. Source: moby image/tarexport/save.go, parseNames.
 */
export function chooseImages(store: ImageStore, refs: readonly string[]): SavedImage[] {
  const chosen = new Map<Digest, SavedImage>()
  const add = (id: Digest, names: Reference[]): void => {
    const image = chosen.get(id) ?? { id, names: [] }
    for (const name of names) if (!image.names.some((known) => fullString(known) === fullString(name))) image.names.push(name)
    chosen.set(id, image)
  }
  for (const ref of refs) {
    const parsed = parseAnyReference(ref)
    if ('id' in parsed) {
      add(findImage(store, ref), [])
      continue
    }
    const { name } = parsed
    const tags =
      name.tag === undefined && name.digest === undefined
        ? store.byName(name.domain, name.path).filter((tag) => tag.digest === undefined)
        : []
    if (tags.length === 0) {
      const id = store.find(withDefaultTag(name))?.image ?? findImage(store, ref)
      add(id, store.find(withDefaultTag(name)) !== undefined && name.digest === undefined ? [withDefaultTag(name)] : [])
    }
    for (const tag of tags) {
      const id = store.find(tag)?.image
      if (id === undefined) throw notFound(`No such image: ${familiarString(tag)}`)
      add(id, [tag])
    }
  }
  return [...chosen.values()]
}

/**
 * The archive: an OCI layout with uncompressed layers, and Docker's `manifest.json` and `repositories` beside it, as Docker writes it since
 * 25. Equal images give equal archives: times are the images' own.
 */
export function saveImages(deps: SaveDeps, images: readonly SavedImage[]): AsyncGenerator<Buffer, void, void> {
  return writeTar(archiveEntries(deps, images))
}

function* archiveEntries(deps: SaveDeps, images: readonly SavedImage[]): Generator<WritableEntry, void, void> {
  // A download takes as long as the client likes; what is removed meanwhile stays until it is over.
  using lease = deps.content.lease()
  for (const { id } of images) {
    lease.hold(id)
    for (const chain of chainIds(deps.store.config(id).rootfs.diff_ids)) lease.hold(chain)
  }
  // All of it now: the rows may be gone when their turn comes.
  const described = images.map((image) => ({ image, layers: describeLayers(deps, image.id) }))
  yield { entry: tarEntry({ type: 'directory', path: 'blobs/', mode: 0o755 }) }
  yield { entry: tarEntry({ type: 'directory', path: 'blobs/sha256/', mode: 0o755 }) }
  const written = new Set<Digest>()
  const descriptors: { descriptor: Descriptor; image: SavedImage; layers: Descriptor[] }[] = []
  for (const { image, layers } of described) {
    for (const [index, { digest, size }] of layers.entries()) {
      if (written.has(digest)) continue
      written.add(digest)
      const chain = chainIds(layers.map((layer) => layer.digest))[index] ?? digest
      yield { entry: blobEntry(digest, size), body: deps.snapshotter.layerTar(chain) as AsyncIterable<Buffer> }
    }
    const config = deps.content.readAll(image.id, MAX_CONFIG_SIZE)
    const manifest: ImageManifest = {
      schemaVersion: 2,
      mediaType: MEDIA_TYPES.ociManifest,
      config: { mediaType: MEDIA_TYPES.ociConfig, digest: image.id, size: config.length },
      layers,
    }
    const bytes = json(manifest)
    const descriptor = { mediaType: MEDIA_TYPES.ociManifest, digest: digestOf(bytes), size: bytes.length }
    for (const [digest, content] of [[image.id, config] as const, [descriptor.digest, bytes] as const]) {
      if (written.has(digest)) continue
      written.add(digest)
      yield { entry: blobEntry(digest, content.length), body: [content] }
    }
    descriptors.push({ descriptor, image, layers })
  }
  yield document('index.json', index(descriptors))
  yield document(
    'manifest.json',
    descriptors.map(({ image, layers }) => dockerManifest(image, layers)),
  )
  yield document('oci-layout', { imageLayoutVersion: '1.0.0' })
  yield document('repositories', repositories(descriptors))
}

function describeLayers({ store, snapshotter }: SaveDeps, id: Digest): Descriptor[] {
  const diffIds = store.config(id).rootfs.diff_ids
  return chainIds(diffIds).map((chain, index) => {
    const layer = snapshotter.layer(chain)
    return { mediaType: MEDIA_TYPES.ociLayer, digest: diffIds[index] ?? layer.diffId, size: layer.tarSize }
  })
}

/** One entry for each name, or one without. */
function index(images: readonly { descriptor: Descriptor; image: SavedImage }[]): ImageIndex {
  const manifests = images.flatMap(({ descriptor, image }) =>
    image.names.length === 0
      ? [descriptor]
      : image.names.map((name) => ({
          ...descriptor,
          annotations: { 'io.containerd.image.name': fullString(name), 'org.opencontainers.image.ref.name': name.tag ?? '' },
        })),
  )
  return { schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests }
}

function dockerManifest(image: SavedImage, layers: readonly Descriptor[]): object {
  return {
    Config: `blobs/sha256/${hexOf(image.id)}`,
    RepoTags: image.names.length === 0 ? null : image.names.map(familiarString),
    Layers: layers.map(({ digest }) => `blobs/sha256/${hexOf(digest)}`),
    LayerSources: Object.fromEntries(layers.map((layer) => [layer.digest, layer])),
  }
}

/** What Docker before 1.10 read: repository → tag → topmost layer. */
function repositories(images: readonly { image: SavedImage; layers: readonly Descriptor[] }[]): Record<string, Record<string, string>> {
  const result: Record<string, Record<string, string>> = {}
  for (const { image, layers } of images) {
    const top = layers.at(-1)
    for (const name of image.names) if (top !== undefined) (result[familiarName(name)] ??= {})[name.tag ?? ''] = hexOf(top.digest)
  }
  return result
}

function document(path: string, value: unknown): WritableEntry {
  const bytes = json(value)
  return { entry: tarEntry({ path, size: bytes.length }), body: [bytes] }
}

function blobEntry(digest: Digest, size: number): WritableEntry['entry'] {
  return tarEntry({ path: `blobs/sha256/${hexOf(digest)}`, size })
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value))
}
