import { buffer } from 'node:stream/consumers'
import { tarEntry, writeTar } from '#archive'
import type { TarEntry } from '#archive'
import { digestOf, hexOf, MEDIA_TYPES } from '#oci'
import type { Descriptor, Digest, ImageConfigFile, Platform } from '#oci'

/** Files of an archive, in this order; a string is the target of a symbolic link. */
export type ArchiveFiles = Record<string, Buffer | { link: string } | Partial<TarEntry>>

/** The tar archive of these files. */
export async function makeTar(files: ArchiveFiles): Promise<Buffer> {
  const entries = Object.entries(files).map(([path, content]) => {
    if (Buffer.isBuffer(content)) return { entry: tarEntry({ path, size: content.length }), body: [content] }
    if ('link' in content) return { entry: tarEntry({ type: 'symlink', path, linkPath: content.link }) }
    return { entry: tarEntry({ path, ...content }) }
  })
  return await buffer(writeTar(entries))
}

/** A layer with one file. */
export async function makeLayer(path: string, text: string): Promise<Buffer> {
  return await makeTar({ [path]: Buffer.from(text) })
}

export function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value))
}

/** The config of an image with these uncompressed layers. */
export function makeConfig(layers: readonly Buffer[], members: Partial<ImageConfigFile> = {}): Buffer {
  return json({
    architecture: 'amd64',
    os: 'linux',
    created: '2024-01-02T03:04:05Z',
    config: { Cmd: ['/bin/sh'] },
    rootfs: { type: 'layers', diff_ids: layers.map(digestOf) },
    history: layers.map((_, index) => ({ created: '2024-01-02T03:04:05Z', created_by: `step ${index}` })),
    ...members,
  })
}

/** What Docker before 25 wrote: a folder for each layer, a config by its digest. */
export async function dockerArchive(options: {
  config: Buffer
  layers: Buffer[]
  tags: string[] | null
  extra?: ArchiveFiles
}): Promise<Buffer> {
  const paths = options.layers.map((layer) => `${hexOf(digestOf(layer))}/layer.tar`)
  const configPath = `${hexOf(digestOf(options.config))}.json`
  return await makeTar({
    ...Object.fromEntries(options.layers.map((layer, index) => [paths[index] ?? '', layer])),
    [configPath]: options.config,
    'manifest.json': json([{ Config: configPath, RepoTags: options.tags, Layers: paths }]),
    ...options.extra,
  })
}

/** Blobs of an OCI layout, by digest. */
export class LayoutBuilder {
  readonly files: ArchiveFiles = {}

  add(mediaType: string, bytes: Buffer, members: Partial<Descriptor> = {}): Descriptor {
    const digest = digestOf(bytes)
    this.files[`blobs/sha256/${hexOf(digest)}`] = bytes
    return { mediaType, digest, size: bytes.length, ...members }
  }

  /** An image; `layers` may be compressed, the config names what is inside. */
  addImage(config: Buffer, layers: readonly Buffer[], members: Partial<Descriptor> = {}): Descriptor {
    const manifest = {
      schemaVersion: 2,
      mediaType: MEDIA_TYPES.ociManifest,
      config: this.add(MEDIA_TYPES.ociConfig, config),
      layers: layers.map((layer) => this.add(MEDIA_TYPES.ociLayerGzip, layer)),
    }
    return this.add(MEDIA_TYPES.ociManifest, json(manifest), members)
  }

  addIndex(manifests: readonly Descriptor[], members: Partial<Descriptor> = {}): Descriptor {
    return this.add(MEDIA_TYPES.ociIndex, json({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests }), members)
  }

  async archive(manifests: readonly Descriptor[]): Promise<Buffer> {
    return await makeTar({
      'index.json': json({ schemaVersion: 2, manifests }),
      'oci-layout': json({ imageLayoutVersion: '1.0.0' }),
      ...this.files,
    })
  }
}

export function platform(architecture: string): { platform: Platform } {
  return { platform: { os: 'linux', architecture } }
}

/** The id of an image with this config. */
export function idOf(config: Buffer): Digest {
  return digestOf(config)
}
