import { open, unlink } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { invalidArgument } from '#errors'
import { createDigester } from '#oci'
import type { Blob, IngestOptions } from './types.ts'

/** Bytes collected before they go to the file in one call. */
const BATCH = 1024 * 1024

/** What is expected of the content, and who wants to hear how many bytes of it are in the file. */
type Expected = Pick<IngestOptions, 'digest' | 'size' | 'signal'> & { opened?: () => void; written?: (bytes: number) => void }

/**
 * Writes `source` to a new file at `path` and checks it. On any failure the file is gone again. The file is given open: its data is not on the disk
 * yet; the caller syncs and closes it.
 */
export async function ingestFile(
  path: string,
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  expected: Expected,
): Promise<{ blob: Blob; file: FileHandle }> {
  const file = await open(path, 'wx', 0o600)
  try {
    expected.opened?.()
    const blob = await copy(file, source, expected)
    if (expected.size !== undefined && blob.size !== expected.size) {
      throw invalidArgument(`content of ${blob.size} bytes, expected ${expected.size}`)
    }
    if (expected.digest !== undefined && blob.digest !== expected.digest) {
      throw invalidArgument(`content has digest ${blob.digest}, expected ${expected.digest}`)
    }
    return { blob, file }
  } catch (error) {
    await file.close()
    await unlink(path)
    throw error
  }
}

/** Reading and hashing go on while the batch before is being written. */
async function copy(
  file: FileHandle,
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  { size: limit = Infinity, signal, written }: Expected,
): Promise<Blob> {
  const digester = createDigester()
  let size = 0
  let batch: Uint8Array[] = []
  let batched = 0
  let writing: Promise<void> = Promise.resolve()
  try {
    for await (const chunk of source) {
      signal?.throwIfAborted()
      digester.update(chunk)
      size += chunk.length
      if (size > limit) throw invalidArgument(`content is longer than the expected ${limit} bytes`)
      batch.push(chunk)
      batched += chunk.length
      if (batched < BATCH) continue
      await writing
      writing = write(batch, size)
      writing.catch(() => {}) // reported where it is awaited
      batch = []
      batched = 0
    }
  } finally {
    // Also after a failure: the file may not be closed under a write.
    await writing
  }
  await write(batch, size)
  return { digest: digester.digest(), size }

  /** `end`: bytes in the file afterwards. */
  async function write(chunks: readonly Uint8Array[], end: number): Promise<void> {
    await writeAll(file, chunks)
    written?.(end)
  }
}

async function writeAll(file: FileHandle, batch: readonly Uint8Array[]): Promise<void> {
  const total = batch.reduce((sum, chunk) => sum + chunk.length, 0)
  const { bytesWritten } = await file.writev(batch)
  // A short write (a nearly full disk, a signal): the rest goes on by itself, and then fails with the reason.
  if (bytesWritten < total) await file.writeFile(Buffer.concat(batch).subarray(bytesWritten))
}
