import { invalidArgument } from '#errors'
import { choosePlatform, decodeManifest, formatPlatform, hexOf, MAX_MANIFEST_SIZE } from '#oci'
import type { Descriptor, Digest, ImageIndex, Platform } from '#oci'
import { addImage } from './spool-archive.ts'
import type { ArchivedImage, SpooledArchive } from './spool-archive.ts'

/** Full name of an image, as containerd and BuildKit write it. */
const CONTAINERD_NAME = 'io.containerd.image.name'
/** A tag, or with some writers (skopeo) a whole name. Source: image-spec v1.1.1 annotations.md. */
const REF_NAME = 'org.opencontainers.image.ref.name'
/** BuildKit's marker of manifests that describe other manifests (provenance, SBOM). */
const REFERENCE_TYPE = 'vnd.docker.reference.type'

const MAX_NESTING = 4

/**
 * Images of an OCI image layout: every manifest that `index.json` lists, and of a nested index the one for `platform`.
 * Source: image-spec v1.1.1 image-layout.md.
 */
export function readOciLayout(archive: SpooledArchive, platform: Platform): ArchivedImage[] {
  const document = decodeManifest(archive.read('index.json', MAX_MANIFEST_SIZE))
  if (document.kind !== 'index') throw invalidArgument('invalid archive: index.json is not an index')
  const manifests = new Map<Digest, ArchivedImage>()
  const images = new Map<Digest, ArchivedImage>()
  for (const entry of document.index.manifests) {
    if (isAttestation(entry)) continue
    // One image with several names is listed several times. Attack: thousands of times, and each time 4 MiB are to be decoded.
    const image = manifests.get(entry.digest) ?? readManifest(archive, entry, platform, 0)
    manifests.set(entry.digest, image)
    addImage(images, image, namesOf(entry))
  }
  if (images.size === 0) throw invalidArgument('invalid archive: index.json lists no image')
  return [...images.values()]
}

function readManifest(archive: SpooledArchive, descriptor: Descriptor, platform: Platform, depth: number): ArchivedImage {
  const path = blobPath(archive, descriptor)
  const document = decodeManifest(archive.read(path, MAX_MANIFEST_SIZE))
  if (document.kind === 'index') {
    if (depth === MAX_NESTING) throw invalidArgument('invalid archive: indexes are nested too deeply')
    return readManifest(archive, chooseManifest(document.index, platform), platform, depth + 1)
  }
  const { config, layers } = document.manifest
  blobPath(archive, config)
  for (const layer of layers) blobPath(archive, layer)
  return { config: config.digest, layers: layers.map(({ digest }) => digest), names: [] }
}

function chooseManifest(index: ImageIndex, platform: Platform): Descriptor {
  const chosen = choosePlatform(
    index.manifests.filter((entry) => !isAttestation(entry)),
    platform,
  )
  if (chosen === undefined) throw invalidArgument(`invalid archive: no image for platform ${formatPlatform(platform)}`)
  return chosen
}

/** Path of a blob that is there, with the digest and size that are promised. */
function blobPath(archive: SpooledArchive, { digest, size }: Descriptor): string {
  const path = `blobs/sha256/${hexOf(digest)}`
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

function isAttestation({ annotations = {} }: Descriptor): boolean {
  return annotations[REFERENCE_TYPE] !== undefined
}
