import { constants } from 'node:fs'
import { mkdir, open } from 'node:fs/promises'
import { createTarDecoder, decompress } from '#archive'
import type { Files } from '#kernel'
import { createDigester } from '#oci'
import { createTreeWriter } from '../tree/tree-writer.ts'
import type { Job, JobOptions, UnpackResult } from './job.ts'
import { awaitWhole, readBlob } from './read-blob.ts'

/**
 * Unpacks a layer in this thread. Hash, decoder and writer share each chunk while zlib inflates the next one on a thread of its own. Errors: those of
 * `extractTree`; what was written until then stays.
 */
export async function unpackLayer(files: Files, job: Job & { kind: 'unpack' }, options: JobOptions): Promise<UnpackResult> {
  await mkdir(job.directory, { recursive: true, mode: 0o755 })
  await using root = await open(job.directory, constants.O_RDONLY | constants.O_DIRECTORY)
  await root.chmod(0o755) // whatever the daemon's umask says: this is the root directory that containers see
  const reading = { ...options, ...(job.growing !== undefined && { growing: job.growing }) }
  const { compression, chunks } = await decompress(readBlob(job.blob, reading))
  const digester = compression === 'none' && !job.verify ? undefined : createDigester()
  const decoder = createTarDecoder()
  using writer = createTreeWriter(files, { directoryFd: root.fd, rootFd: root.fd, path: '/' }, { whiteouts: 'overlay' })
  let tarSize = 0
  for await (const chunk of chunks) {
    options.signal?.throwIfAborted()
    digester?.update(chunk)
    tarSize += chunk.length
    for (const event of decoder.push(chunk)) writer.write(event)
  }
  decoder.finish()
  await awaitWhole(reading)
  return { diffId: digester?.digest(), tarSize, ...writer.finish() }
}
