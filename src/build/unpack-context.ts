import { closeSync, constants, openSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { MessagePort } from 'node:worker_threads'
import { decompress } from '#archive'
import { invalidArgument } from '#errors'
import type { Files } from '#kernel'
import { LimitExceededError, readLimited } from '#lib'
import { extractTree } from '#snapshots'
import { receivedChunks } from './chunk-port.ts'
import { looksLikeArchive } from './frontend/context/archive-header.ts'

/** Bytes of a Dockerfile that comes alone. */
const LARGEST_DOCKERFILE = 16 * 1024 * 1024
/** As many as tell an archive from text. */
const HEADER_LENGTH = 512

export interface UploadedContext {
  /** Where it comes from: see `sendChunks`. */
  port: MessagePort
  /** The directory that it goes to. */
  path: string
  /** Whose the files are. */
  owner: { uid: number; gid: number }
}

/** Unpacks a context that is sent whole, compressed or not; what is no archive is a Dockerfile. Throws INVALID_ARGUMENT for a bad archive. */
export async function unpackContext(files: Files, { port, path, owner }: UploadedContext, signal: AbortSignal | undefined): Promise<void> {
  const { chunks } = await decompress(receivedChunks(port))
  const { start, all } = await peek(chunks)
  if (!looksLikeArchive(start)) {
    writeFileSync(join(path, 'Dockerfile'), await readDockerfile(all), { mode: 0o644 })
    return
  }
  const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    await extractTree(files, fd, all, { whiteouts: 'none', owner, ...(signal && { signal }) })
  } finally {
    closeSync(fd)
  }
}

async function peek(chunks: AsyncGenerator<Buffer, void, void>): Promise<{ start: Buffer; all: AsyncIterable<Buffer> }> {
  const first: Buffer[] = []
  let length = 0
  while (length < HEADER_LENGTH) {
    const next = await chunks.next()
    if (next.done === true) break
    first.push(next.value)
    length += next.value.length
  }
  async function* all(): AsyncGenerator<Buffer, void, void> {
    yield* first
    yield* chunks
  }
  return { start: Buffer.concat(first), all: all() }
}

async function readDockerfile(text: AsyncIterable<Buffer>): Promise<Buffer> {
  try {
    return await readLimited(text, LARGEST_DOCKERFILE, 'the Dockerfile')
  } catch (error) {
    throw error instanceof LimitExceededError ? invalidArgument(error.message, error) : error
  }
}
