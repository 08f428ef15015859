import { createReadStream } from 'node:fs'
import { crc32 } from 'node:zlib'
import { createTarDecoder, decompress } from '#archive'
import { codeOf } from '#errors'
import type { Files } from '#kernel'
import { createDigester } from '#oci'
import type { Digest } from '#oci'
import { readRecipe } from '../recipe/read-recipe.ts'
import { compareTree } from './compare-tree.ts'
import type { Difference } from './compare-tree.ts'
import { createExpectedTree } from './expected-tree.ts'
import type { ExpectedNode } from './expected-tree.ts'

/** Where the archive of a layer comes from; absolute paths. */
export type TarSource = { kind: 'blob'; path: string } | { kind: 'recipe'; path: string }

/** Differences that are told; more are counted. */
const MAX_TOLD = 20

export interface LayerComparison {
  /** The first {@link MAX_TOLD}. */
  differences: Difference[]
  /** All of them. */
  count: number
  /** The archive has the layer's diff id: the differences are the files' fault and not its. */
  archiveIsWhole: boolean
}

/**
 * Compares the files of a layer with its archive. A damaged archive that cannot be read to its end makes no differences. Throws the reason of `signal`, and
 * system errors.
 */
export async function verifyLayer(
  files: Files,
  { source, diffId, directory }: { source: TarSource; diffId: Digest; directory: string },
  signal?: AbortSignal,
): Promise<LayerComparison> {
  const found: LayerComparison = { differences: [], count: 0, archiveIsWhole: false }
  const tell = (difference: Difference): void => {
    if (found.count++ < MAX_TOLD) found.differences.push(difference)
  }
  // What a recipe takes from a file has no other copy to be compared with than its checksum.
  const changed = new Set<string>()
  const tar = source.kind === 'blob' ? blobTar(source.path) : readRecipe(files, source.path, directory, (path) => changed.add(path))
  let read: { root: ExpectedNode; digest: Digest }
  try {
    read = await readArchive(tar, signal)
  } catch (error) {
    if (codeOf(error) !== 'INVALID_ARGUMENT' && codeOf(error) !== 'DATA_LOSS') throw error
    for (const path of changed) tell({ path, what: 'has other content' })
    return found
  }
  for (const path of changed) tell({ path, what: 'has other content' })
  found.archiveIsWhole = read.digest === diffId
  if (!found.archiveIsWhole && source.kind === 'blob') return found
  for (const difference of compareTree(files, directory, read.root)) {
    signal?.throwIfAborted()
    tell(difference)
  }
  return found
}

async function* blobTar(path: string): AsyncGenerator<Buffer, void, void> {
  const { chunks } = await decompress(createReadStream(path, { highWaterMark: 512 * 1024 }) as AsyncIterable<Buffer>)
  yield* chunks
}

async function readArchive(tar: AsyncIterable<Buffer>, signal: AbortSignal | undefined): Promise<{ root: ExpectedNode; digest: Digest }> {
  const digester = createDigester()
  const decoder = createTarDecoder()
  const tree = createExpectedTree()
  let current: ExpectedNode | undefined
  for await (const chunk of tar) {
    signal?.throwIfAborted()
    digester.update(chunk)
    for (const event of decoder.push(chunk)) {
      if (event.kind === 'entry') current = tree.add(event.entry)
      else if (event.kind === 'data' && current?.type === 'file') current.crc32 = crc32(event.bytes, current.crc32)
    }
  }
  decoder.finish()
  return { root: tree.root, digest: digester.digest() }
}
