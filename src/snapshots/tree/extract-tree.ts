import { createTarDecoder } from '#archive'
import type { Files } from '#kernel'
import { createTreeWriter } from './tree-writer.ts'
import type { WriteOptions, WrittenTree } from './tree-writer.ts'

/**
 * Unpacks a tar archive into the directory `rootFd` (any descriptor of it; stays the caller's). Safe against hostile archives and against
 * programs that change the directory meanwhile. Entries are written with synchronous calls as their bytes arrive. Throws INVALID_ARGUMENT
 * for a bad archive; what was written until then stays.
 */
export async function extractTree(
  files: Files,
  rootFd: number,
  archive: AsyncIterable<Buffer>,
  options: WriteOptions & { signal?: AbortSignal },
): Promise<WrittenTree> {
  const decoder = createTarDecoder()
  using writer = createTreeWriter(files, rootFd, options)
  for await (const chunk of archive) {
    options.signal?.throwIfAborted()
    for (const event of decoder.push(chunk)) writer.write(event)
  }
  decoder.finish()
  return writer.finish()
}
