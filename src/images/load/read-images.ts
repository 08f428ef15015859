import { invalidArgument, notFound } from '#errors'
import { choosePlatform, formatPlatform, hostPlatform } from '#oci'
import type { Digest, Platform } from '#oci'
import type { ArchivedImage, ArchivedManifest } from './archived-image.ts'
import { readDockerArchive } from './docker-archive.ts'
import type { DockerArchiveItem } from './docker-archive.ts'
import { readOciLayout } from './oci-layout.ts'
import type { LayoutImage, LayoutManifest } from './oci-layout.ts'
import type { SpooledArchive } from './spool-archive.ts'

/**
 * The images of an archive of any kind. What Docker saves since 25 is both kinds: the layout has manifests and platforms, `manifest.json` says more about names
 * and whether the manifests mean anything. `platforms`: those that are wanted; empty: this machine's is unpacked (the first where there is none), and the
 * others are kept. Throws NOT_FOUND for a wanted platform that is not there.
 */
export function readImages(archive: SpooledArchive, platforms: readonly Platform[]): ArchivedImage[] {
  if (archive.find('index.json') === undefined) return readDockerArchive(archive).map(fromItem)
  const items = archive.find('manifest.json') === undefined ? [] : readDockerArchive(archive)
  const images = readOciLayout(archive).map((image) => fromLayout(image, platforms))
  return images.map((image) =>
    withItem(
      image,
      items.filter(({ config }) => config === image.config),
    ),
  )
}

function fromItem({ config, layers, names }: DockerArchiveItem): ArchivedImage {
  return { config, layers, names, variants: [], unwanted: [] }
}

function fromLayout({ target, names, manifests }: LayoutImage, platforms: readonly Platform[]): ArchivedImage {
  const chosen = choose(manifests, platforms)
  const [main, ...variants] = chosen.map(({ manifest }) => contentOf(manifest))
  if (main === undefined) throw invalidArgument(`invalid archive: no image for platform ${formatPlatform(hostPlatform())}`)
  const wanted = new Set(chosen.map(({ descriptor }) => descriptor.digest))
  const others = platforms.length === 0 ? [] : manifests.map(({ descriptor }) => descriptor.digest)
  return { ...main, names, target, variants, unwanted: others.filter((digest) => !wanted.has(digest)) }
}

function choose(manifests: readonly LayoutManifest[], platforms: readonly Platform[]): LayoutManifest[] {
  const find = (platform: Platform): LayoutManifest | undefined => {
    const chosen = choosePlatform(
      manifests.map(({ descriptor }) => descriptor),
      platform,
    )
    return manifests.find(({ descriptor }) => descriptor === chosen)
  }
  if (platforms.length === 0) return [find(hostPlatform()) ?? manifests[0]].filter((manifest) => manifest !== undefined)
  return platforms.map((platform) => {
    const found = find(platform)
    if (found === undefined) throw notFound(`requested platform (${formatPlatform(platform)}) not found`)
    return found
  })
}

function contentOf({ config, layers }: LayoutManifest['manifest']): ArchivedManifest {
  return { config: config.digest, layers: layers.map(({ digest }) => digest) }
}

function withItem(image: ArchivedImage, items: readonly DockerArchiveItem[]): ArchivedImage {
  const names = [...new Set([...image.names, ...items.flatMap((item) => item.names)])]
  if (!items.some(({ isMade }) => isMade)) return { ...image, names }
  const { target: _, ...rest } = image
  return { ...rest, names }
}

/** Digests of manifests that nobody has asked for. */
export function unwantedOf(images: readonly ArchivedImage[]): Set<Digest> {
  return new Set(images.flatMap(({ unwanted }) => unwanted))
}
