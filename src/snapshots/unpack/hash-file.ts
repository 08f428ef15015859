import { open } from 'node:fs/promises'
import { createDigester } from '#oci'
import type { HashResult } from './job.ts'

/** Digest of a file. Throws the reason of `signal`. */
export async function hashFile(path: string, signal: AbortSignal | undefined): Promise<HashResult> {
  await using file = await open(path, 'r')
  const { ino: inode } = await file.stat({ bigint: true })
  const digester = createDigester()
  let size = 0
  for await (const chunk of file.createReadStream({ highWaterMark: 512 * 1024, autoClose: false }) as AsyncIterable<Buffer>) {
    signal?.throwIfAborted()
    digester.update(chunk)
    size += chunk.length
  }
  return { digest: digester.digest(), size, inode }
}
