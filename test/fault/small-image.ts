import { randomBytes } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { digestOf, MEDIA_TYPES, parseReference, type Digest } from '#oci'
import { createHostResolver, createRemotes } from '#remotes'
import { tar } from '../harness/tar.ts'

/** An image that is like no other, as its blobs. */
export interface SmallImage {
  manifest: Buffer
  digest: Digest
  config: { bytes: Buffer; digest: Digest }
  layers: { bytes: Buffer; digest: Digest }[]
}

const part = (bytes: Buffer): { bytes: Buffer; digest: Digest } => ({ bytes, digest: digestOf(bytes) })

/** `sizes`: bytes of the layers, near enough. */
export function makeSmallImage(sizes: readonly number[]): SmallImage {
  const tars = sizes.map((bytes, number) => tar([{ name: `file-${number}`, data: randomBytes(bytes) }]))
  const layers = tars.map((bytes) => part(gzipSync(bytes)))
  const rootfs = { type: 'layers', diff_ids: tars.map((bytes) => digestOf(bytes)) }
  const config = part(Buffer.from(JSON.stringify({ architecture: 'amd64', os: 'linux', config: { Cmd: ['sh'] }, rootfs })))
  const descriptor = (mediaType: string, { bytes, digest }: { bytes: Buffer; digest: Digest }): object => ({
    mediaType,
    digest,
    size: bytes.length,
  })
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MEDIA_TYPES.dockerManifest,
      config: descriptor(MEDIA_TYPES.dockerConfig, config),
      layers: layers.map((layer) => descriptor(MEDIA_TYPES.dockerLayerGzip, layer)),
    }),
  )
  return { manifest, digest: digestOf(manifest), config, layers }
}

/** Puts an image into a registry of the test's own namespace, past all faults. */
export async function uploadImage(domain: string, repository: string, image: SmallImage): Promise<void> {
  await using remotes = createRemotes({ hosts: createHostResolver({}), userAgent: 'fault-test' })
  const remote = remotes.repository(parseReference(`${domain}/${repository}:1`), 'push')
  for (const { bytes, digest } of [image.config, ...image.layers]) {
    await remote.pushBlob({
      digest,
      size: bytes.length,
      async *open() {
        yield bytes
      },
    })
  }
  await remote.pushManifest({ tag: '1' }, { mediaType: MEDIA_TYPES.dockerManifest, bytes: image.manifest })
}
