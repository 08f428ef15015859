import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { OciLayout } from '../../harness/index.ts'

/** Writes an OCI layout whose name `v1` is an index over two images that share their layers; gives the digest of the index. */
export function writeTwoPlatforms(directory: string, tars: readonly Buffer[]): string {
  const layout = new OciLayout(directory)
  const layers = tars.map((tar) => ({ tar, bytes: gzipSync(tar, { level: 1 }), type: 'tar+gzip' }))
  const manifests = ['amd64', 'arm64'].map((architecture) => ({
    ...layout.addImage(layers, { architecture }),
    platform: { os: 'linux', architecture },
  }))
  const index = layout.addIndex(manifests)
  layout.name('v1', index)
  return index.digest
}

/** Digest and content of each blob of a layout. */
export async function readBlobs(directory: string): Promise<Map<string, Buffer>> {
  const blobs = join(directory, 'blobs/sha256')
  const names = (await readdir(blobs)).sort()
  return new Map(await Promise.all(names.map(async (name) => [name, await readFile(join(blobs, name))] as const)))
}
