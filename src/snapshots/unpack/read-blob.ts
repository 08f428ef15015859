import { open } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { nextGrowth } from '#content'
import { EngineError } from '#errors'

/** Bytes asked for at once. */
const CHUNK = 512 * 1024

export interface ReadBlobOptions {
  signal?: AbortSignal
  /** Called with the bytes read so far. */
  progress?: (read: number) => void
  /** Progress of the ingest that is still writing the file; see `GrowingBlob`. */
  growing?: SharedArrayBuffer
}

/**
 * The bytes of the file at `path`. One that grows is followed as it is written, never beyond. Throws CANCELLED when it does not become whole, the
 * signal's reason while it waits.
 */
export async function* readBlob(path: string, options: ReadBlobOptions): AsyncGenerator<Buffer, void, void> {
  await using file = await open(path)
  for (let position = 0; ;) {
    const available = await awaitBytes(options, position)
    const chunk = await readChunk(file, position, available - position)
    if (chunk.length === 0) return
    position += chunk.length
    options.progress?.(position)
    yield chunk
  }
}

/** Resolves when what is at hand is the whole blob, verified. An archive may end before its file does. */
export async function awaitWhole({ growing, signal }: ReadBlobOptions): Promise<void> {
  if (growing === undefined) return
  const { state } = await nextGrowth({ progress: growing }, Infinity, signal)
  if (state !== 'whole') throw failed()
}

/** Bytes that are there; those beyond `seen` are waited for. Equal to `seen` at the end. */
async function awaitBytes({ growing, signal }: ReadBlobOptions, seen: number): Promise<number> {
  if (growing === undefined) return Infinity
  const { bytes, state } = await nextGrowth({ progress: growing }, seen, signal)
  if (state === 'failed') throw failed()
  return bytes
}

async function readChunk(file: FileHandle, position: number, available: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafeSlow(Math.min(CHUNK, available))
  const { bytesRead } = await file.read(buffer, 0, buffer.length, position)
  return buffer.subarray(0, bytesRead)
}

/** Why is known to whoever stores it. */
function failed(): EngineError {
  return new EngineError('CANCELLED', 'Cannot unpack the layer: its blob was not stored')
}
