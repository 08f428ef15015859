import { createTarDecoder } from '#archive'
import type { Files } from '#kernel'
import { setImmediate } from 'node:timers/promises'
import { createFileWriter } from './file-writer.ts'
import type { TreePlace } from './parent-directories.ts'
import { createTreeWriter } from './tree-writer.ts'
import type { WriteOptions, WrittenTree } from './tree-writer.ts'

/** Milliseconds of synchronous calls after which others get their turn. */
const TURN = 8

/**
 * Unpacks a tar archive into a directory, in a thread that has other work: data is written in the background. Safe against hostile archives
 * and against programs that change the directory meanwhile. `place`: the descriptor of a directory, or where it lies in a larger root that links
 * in it may lead to. Throws INVALID_ARGUMENT for a bad archive; what was written until then stays.
 */
export async function extractTree(
  files: Files,
  place: number | TreePlace,
  archive: AsyncIterable<Buffer>,
  options: WriteOptions & { signal?: AbortSignal },
): Promise<WrittenTree> {
  const decoder = createTarDecoder()
  using writer = createTreeWriter(files, typeof place === 'number' ? { directoryFd: place, rootFd: place, path: '/' } : place, options)
  const data = createFileWriter()
  let turnStarted = performance.now()
  try {
    for await (const chunk of archive) {
      options.signal?.throwIfAborted()
      for (const event of decoder.push(chunk)) {
        if (event.kind === 'data') {
          if (writer.fd !== undefined) await data.write(writer.fd, event.offset, event.bytes)
          continue
        }
        if (event.kind === 'end') await data.end()
        writer.write(event)
        if (performance.now() - turnStarted < TURN) continue
        await setImmediate()
        turnStarted = performance.now()
      }
    }
    decoder.finish()
    return writer.finish()
  } finally {
    // A write under way must not outlive the descriptor.
    await data.end().catch(() => undefined)
  }
}
