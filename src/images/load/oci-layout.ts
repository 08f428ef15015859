import { invalidArgument } from '#errors'
import { decodeImageConfig, decodeManifest, hexOf, MAX_CONFIG_SIZE, MAX_MANIFEST_SIZE } from '#oci'
import type { Descriptor, Digest, ImageManifest } from '#oci'
import { isAttestation } from '../manifest-graph.ts'
import type { SpooledArchive } from './spool-archive.ts'

/** Full name of an image, as containerd and BuildKit write it. */
const CONTAINERD_NAME = 'io.containerd.image.name'
/** A tag, or with some writers (skopeo) a whole name. Source: image-spec v1.1.1 annotations.md. */
const REF_NAME = 'org.opencontainers.image.ref.name'

const MAX_NESTING = 4

/** What one or several entries of `index.json` with the same digest mean. */
export interface LayoutImage {
  target: Descriptor
  names: string[]
  /** Every image whose content is in the archive, in the order of the indexes, with its platform. */
  manifests: LayoutManifest[]
}

export interface LayoutManifest {
  /** The platform is there: the index's, or the config's. */
  descriptor: Descriptor
  manifest: ImageManifest
}

/**
 * Images of an OCI image layout: everything that `index.json` lists, nested indexes with all their platforms. Of an index some manifests may be missing, or
 * layers of them: whoever saved it had one platform only. Source: image-spec v1.1.1 image-layout.md.
 */
export function readOciLayout(archive: SpooledArchive): LayoutImage[] {
  const document = decodeManifest(archive.read('index.json', MAX_MANIFEST_SIZE))
  if (document.kind !== 'index') throw invalidArgument('invalid archive: index.json is not an index')
  const images = new Map<Digest, LayoutImage>()
  for (const entry of document.index.manifests) {
    if (isAttestation(entry)) continue
    const { mediaType, digest, size } = entry
    // One image with several names is listed several times. Attack: thousands of times, and each time 4 MiB are to be decoded.
    const image = images.get(digest) ?? { target: { mediaType, digest, size }, names: [], manifests: readEntry(archive, entry) }
    for (const name of namesOf(entry)) if (!image.names.includes(name)) image.names.push(name)
    images.set(digest, image)
  }
  if (images.size === 0) throw invalidArgument('invalid archive: index.json lists no image')
  return [...images.values()]
}

function readEntry(archive: SpooledArchive, entry: Descriptor): LayoutManifest[] {
  const document = decodeManifest(archive.read(blobPath(archive, entry), MAX_MANIFEST_SIZE))
  if (document.kind === 'index') return readIndex(archive, document.index.manifests, 1)
  const { config, layers } = document.manifest
  for (const descriptor of [config, ...layers]) blobPath(archive, descriptor)
  return [withPlatform(archive, entry, document.manifest)]
}

function readIndex(archive: SpooledArchive, entries: readonly Descriptor[], depth: number): LayoutManifest[] {
  if (depth > MAX_NESTING) throw invalidArgument('invalid archive: indexes are nested too deeply')
  return entries
    .filter((entry) => !isAttestation(entry) && isThere(archive, entry))
    .flatMap((entry) => {
      const document = decodeManifest(archive.read(blobPath(archive, entry), MAX_MANIFEST_SIZE))
      if (document.kind === 'index') return readIndex(archive, document.index.manifests, depth + 1)
      const { config, layers } = document.manifest
      return [config, ...layers].every((descriptor) => isThere(archive, descriptor))
        ? [withPlatform(archive, entry, document.manifest)]
        : []
    })
}

function withPlatform(archive: SpooledArchive, descriptor: Descriptor, manifest: ImageManifest): LayoutManifest {
  if (descriptor.platform !== undefined) return { descriptor, manifest }
  const { os, architecture, variant } = decodeImageConfig(archive.read(blobPath(archive, manifest.config), MAX_CONFIG_SIZE))
  return { descriptor: { ...descriptor, platform: { os, architecture, ...(variant === undefined ? {} : { variant }) } }, manifest }
}

function pathOf({ digest }: Descriptor): string {
  return `blobs/sha256/${hexOf(digest)}`
}

function isThere(archive: SpooledArchive, descriptor: Descriptor): boolean {
  if (archive.find(pathOf(descriptor)) === undefined) return false
  blobPath(archive, descriptor)
  return true
}

/** Path of a blob that is there, with the digest and size that are promised. */
function blobPath(archive: SpooledArchive, descriptor: Descriptor): string {
  const { digest, size } = descriptor
  const path = pathOf(descriptor)
  const blob = archive.get(path)
  if (blob.digest !== digest) throw invalidArgument(`invalid archive: ${path} has digest ${blob.digest}`)
  if (blob.size !== size) throw invalidArgument(`invalid archive: ${path} has ${blob.size} bytes, expected ${size}`)
  return path
}

function namesOf({ annotations = {} }: Descriptor): string[] {
  const full = annotations[CONTAINERD_NAME]
  if (full !== undefined) return [full]
  const name = annotations[REF_NAME]
  // A bare tag names no repository.
  return name !== undefined && /[:/]/.test(name) ? [name] : []
}
