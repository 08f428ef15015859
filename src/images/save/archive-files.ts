import { familiarName, familiarString, fullString, hexOf, MEDIA_TYPES } from '#oci'
import type { Descriptor, Digest, ImageIndex, Reference } from '#oci'

/** A file below `blobs/sha256`. */
export interface ArchivedBlob {
  digest: Digest
  size: number
  open: () => AsyncIterable<Buffer> | Iterable<Buffer>
}

export interface ArchivedImage {
  names: readonly Reference[]
  /** What `index.json` lists. */
  descriptor: Descriptor
  /** The image for programs that know one platform only: `manifest.json`. */
  single: { config: Digest; layers: readonly Descriptor[] }
  /** The manifest was made for the archive; what is loaded from it is not known by its digest. */
  isMade: boolean
  blobs: readonly ArchivedBlob[]
}

export interface ArchiveFile {
  path: string
  size: number
  open: ArchivedBlob['open']
}

/** `docker`: with the files that Docker reads beside those of an OCI layout. */
export type ArchiveFormat = 'docker' | 'oci'

/** The files of an image archive. Equal images give equal files in the same order. */
export function archiveFiles(images: readonly ArchivedImage[], format: ArchiveFormat): ArchiveFile[] {
  const blobs = new Map(images.flatMap((image) => image.blobs).map((blob) => [blob.digest, blob]))
  return [
    ...[...blobs.values()].map(({ digest, size, open }) => ({ path: blobPath(digest), size, open })),
    document('index.json', index(images)),
    ...(format === 'docker' ? [document('manifest.json', images.map(dockerManifest))] : []),
    document('oci-layout', { imageLayoutVersion: '1.0.0' }),
    ...(format === 'docker' ? [document('repositories', repositories(images))] : []),
  ]
}

function blobPath(digest: Digest): string {
  return `blobs/sha256/${hexOf(digest)}`
}

/** One entry for each name, or one without. */
function index(images: readonly ArchivedImage[]): ImageIndex {
  const manifests = images.flatMap(({ descriptor, names }) =>
    names.length === 0
      ? [descriptor]
      : names.map((name) => ({
          ...descriptor,
          annotations: {
            ...descriptor.annotations,
            'io.containerd.image.name': fullString(name),
            'org.opencontainers.image.ref.name': name.tag ?? '',
          },
        })),
  )
  return { schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests }
}

/** `LayerSources` tells whoever loads it that the manifest was made for the archive: Docker writes it in that case only, too. */
function dockerManifest({ names, single: { config, layers }, isMade }: ArchivedImage): object {
  return {
    Config: blobPath(config),
    RepoTags: names.length === 0 ? null : names.map(familiarString),
    Layers: layers.map(({ digest }) => blobPath(digest)),
    ...(isMade ? { LayerSources: Object.fromEntries(layers.map((layer) => [layer.digest, layer])) } : {}),
  }
}

/** What Docker before 1.10 read: repository → tag → topmost layer. */
function repositories(images: readonly ArchivedImage[]): Record<string, Record<string, string>> {
  const result: Record<string, Record<string, string>> = {}
  for (const { names, single } of images) {
    const top = single.layers.at(-1)
    for (const name of names) if (top !== undefined) (result[familiarName(name)] ??= {})[name.tag ?? ''] = hexOf(top.digest)
  }
  return result
}

function document(path: string, value: unknown): ArchiveFile {
  const bytes = Buffer.from(JSON.stringify(value))
  return { path, size: bytes.length, open: () => [bytes] }
}
