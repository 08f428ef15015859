import { closeSync, createWriteStream, readSync } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { constants, createZstdCompress, crc32 } from 'node:zlib'
import { createTarDecoder, encodeName } from '#archive'
import type { Files } from '#kernel'
import { openRegular } from '../tree/open-regular.ts'
import { createRecipeEncoder } from './recipe-format.ts'

/** Bytes of records that are given to the compressor at once. */
const BATCH = 256 * 1024

/** A stretch of a file that is being lengthened as more of the same comes. */
interface Stretch {
  path: Buffer
  offset: number
  length: number
  crc32: number
}

/**
 * Writes to `target` how `tar` is put together again from the files that were unpacked from it to `directory`. All data of the tar is compared with the
 * files: what is not there as it is in the tar (a file that comes twice, one that a later entry replaced) goes into the recipe itself, so
 * there is a recipe for every tar. Returns the bytes of the tar that files give.
 */
export async function writeRecipe(files: Files, tar: AsyncIterable<Buffer>, directory: string, target: string): Promise<number> {
  let referenced = 0
  using source = createDataSource(files, directory)
  await pipeline(
    records(tar, source, (bytes) => (referenced += bytes)),
    // zstd has no checksum by itself; headers are in no other place.
    createZstdCompress({ params: { [constants.ZSTD_c_checksumFlag]: 1 } }),
    createWriteStream(target, { flags: 'wx', mode: 0o600, flush: true }),
  )
  return referenced
}

async function* records(
  tar: AsyncIterable<Buffer>,
  source: DataSource,
  counted: (bytes: number) => void,
): AsyncGenerator<Buffer, void, void> {
  const encoder = createRecipeEncoder()
  const decoder = createTarDecoder()
  let batch: Buffer[] = [encoder.start()]
  let batched = 0
  let stretch: Stretch | undefined
  let path: Buffer = Buffer.alloc(0)

  function put(pieces: Buffer[]): void {
    for (const piece of pieces) {
      batch.push(piece)
      batched += piece.length
    }
  }
  function endStretch(): void {
    if (stretch === undefined) return
    put(encoder.data(stretch))
    counted(stretch.length)
    stretch = undefined
  }
  function raw(bytes: Buffer): void {
    if (bytes.length === 0) return
    endStretch()
    put(encoder.raw(bytes))
  }

  for await (const chunk of tar) {
    let position = 0
    for (const event of decoder.push(chunk)) {
      if (event.kind === 'entry') {
        source.open(event.entry.type === 'file' ? event.entry.path : undefined)
        path = encodeName(event.entry.path)
        endStretch()
      }
      if (event.kind !== 'data' || !source.holds(event.offset, event.bytes)) continue
      // Data events are views into the chunk: what lies between two of them is headers and padding.
      const start = event.bytes.byteOffset - chunk.byteOffset
      raw(chunk.subarray(position, start))
      position = start + event.bytes.length
      if (stretch !== undefined && stretch.offset + stretch.length === event.offset) {
        stretch.length += event.bytes.length
        stretch.crc32 = crc32(event.bytes, stretch.crc32)
      } else {
        endStretch()
        stretch = { path, offset: event.offset, length: event.bytes.length, crc32: crc32(event.bytes) }
      }
    }
    raw(chunk.subarray(position))
    if (batched < BATCH) continue
    yield Buffer.concat(batch)
    batch = []
    batched = 0
  }
  decoder.finish()
  endStretch()
  yield Buffer.concat([...batch, encoder.end()])
}

/** The file that the current entry became. */
interface DataSource extends Disposable {
  /** An entry's path; undefined for entries without data. */
  open(path: string | undefined): void
  /** Whether the file has these bytes at this offset. */
  holds(offset: number, bytes: Buffer): boolean
}

function createDataSource(files: Files, directory: string): DataSource {
  const root = files.openRoot(directory)
  const scratch = Buffer.allocUnsafeSlow(1024 * 1024)
  let fd: number | undefined

  function close(): void {
    if (fd !== undefined) closeSync(fd)
    fd = undefined
  }

  return {
    open(path) {
      close()
      if (path !== undefined) fd = openRegular(files, root.fd, path)?.fd
    },
    holds(offset, bytes) {
      if (fd === undefined) return false
      for (let position = 0; position < bytes.length;) {
        const wanted = Math.min(scratch.length, bytes.length - position)
        const count = readSync(fd, scratch, 0, wanted, offset + position)
        if (count === 0 || scratch.compare(bytes, position, position + count, 0, count) !== 0) return false
        position += count
      }
      return true
    },
    [Symbol.dispose]() {
      close()
      root[Symbol.dispose]()
    },
  }
}
