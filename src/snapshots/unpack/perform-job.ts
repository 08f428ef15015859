import { constants, createReadStream } from 'node:fs'
import { mkdir, open } from 'node:fs/promises'
import { createTarDecoder, decompress } from '#archive'
import type { Files } from '#kernel'
import { createDigester } from '#oci'
import { emptyDirectory } from '../tree/remove-tree.ts'
import { createTreeWriter } from '../tree/tree-writer.ts'
import type { Job, JobOptions, JobResult, UnpackResult } from './job.ts'

/** Does a job in this thread. Errors: those of `extractTree` for a layer, system errors for the others. */
export async function performJob<J extends Job>(files: Files, job: J, options: JobOptions): Promise<JobResult<J>> {
  // The compiler cannot follow that the kind of job decides the kind of result.
  return (await perform(files, job, options)) as JobResult<J>
}

async function perform(files: Files, job: Job, options: JobOptions): Promise<UnpackResult | undefined> {
  if (job.kind === 'unpack') return await unpackLayer(files, job, options)
  if (job.kind === 'sync') files.syncfs(job.path)
  else emptyDirectory(job.directory)
  return undefined
}

/** Hash, decoder and writer share each chunk while zlib inflates the next one on a thread of its own. */
async function unpackLayer(files: Files, job: Job & { kind: 'unpack' }, { signal, progress }: JobOptions): Promise<UnpackResult> {
  await mkdir(job.directory, { recursive: true, mode: 0o755 })
  await using root = await open(job.directory, constants.O_RDONLY | constants.O_DIRECTORY)
  await root.chmod(0o755) // whatever the daemon's umask says: this is the root directory that containers see
  const { compression, chunks } = await decompress(readBlob(job.blob, progress))
  const digester = compression === 'none' && !job.verify ? undefined : createDigester()
  const decoder = createTarDecoder()
  using writer = createTreeWriter(files, { directoryFd: root.fd, rootFd: root.fd, path: '/' }, { whiteouts: 'overlay' })
  let tarSize = 0
  for await (const chunk of chunks) {
    signal?.throwIfAborted()
    digester?.update(chunk)
    tarSize += chunk.length
    for (const event of decoder.push(chunk)) writer.write(event)
  }
  decoder.finish()
  // An uncompressed blob has been hashed when it was ingested.
  return { diffId: digester?.digest() ?? job.digest, tarSize, ...writer.finish() }
}

async function* readBlob(path: string, progress: ((read: number) => void) | undefined): AsyncGenerator<Buffer, void, void> {
  let read = 0
  for await (const chunk of createReadStream(path, { highWaterMark: 512 * 1024 }) as AsyncIterable<Buffer>) {
    read += chunk.length
    progress?.(read)
    yield chunk
  }
}
