import type { Duplex, Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { constants, createGzip, createZstdCompress } from 'node:zlib'
import type { Blob } from '#content'
import { internal } from '#errors'
import { createDigester } from '#oci'

/**
 * Measured on a Debian file system, with one core: level 1 makes 33.5% of it at 105 MB/s, level 4 30.4% at 76 MB/s, level 6 (Docker's) 29.5% at 48 MB/s.
 * 4 costs 3% more bytes than Docker's choice and two thirds of the time. Equal layers must become equal blobs: no options but these.
 */
const PUSH_ENCODING: LayerEncoding = { type: 'gzip', level: 4 }
const CHUNK_SIZE = 128 * 1024

/** `level`: gzip 0 to 9, zstd 1 to 22. */
export interface LayerEncoding {
  type: 'gzip' | 'zstd'
  level: number
}

/** A layer that is compressed while it is sent. */
export interface LayerCompressor {
  /** Compresses from the beginning; for a retry again. `read`: bytes of the layer that have gone in. */
  open: (signal?: AbortSignal) => AsyncGenerator<Buffer, void, void>
  /** What came out, when it has all come out. */
  result: () => Blob
}

/** `openTar` gives the uncompressed layer; it is compressed as for a push unless `encoding` says otherwise. zlib works in a thread of its own for each layer. */
export function createLayerCompressor(
  openTar: () => Readable,
  read: (bytes: number) => void,
  encoding: LayerEncoding = PUSH_ENCODING,
): LayerCompressor {
  let made: Blob | undefined

  async function* open(signal?: AbortSignal): AsyncGenerator<Buffer, void, void> {
    made = undefined
    const digester = createDigester()
    let size = 0
    for await (const chunk of compress(counted(openTar(), read), encoding, signal)) {
      digester.update(chunk)
      size += chunk.length
      yield chunk
    }
    made = { digest: digester.digest(), size }
  }

  return {
    open,
    result() {
      if (made === undefined) throw internal('Cannot tell the digest of a layer that is not compressed to its end')
      return made
    },
  }
}

async function* compress(tar: AsyncIterable<Buffer>, encoding: LayerEncoding, signal?: AbortSignal): AsyncGenerator<Buffer, void, void> {
  const encoder = createEncoder(encoding)
  // An error on one side ends the other; it is thrown where the output is read.
  pipeline(tar, encoder, signal === undefined ? {} : { signal }).catch(() => {})
  try {
    yield* encoder as AsyncIterable<Buffer>
  } finally {
    encoder.destroy()
  }
}

/** Neither writes a time or a name: equal layers become equal blobs. */
function createEncoder({ type, level }: LayerEncoding): Duplex {
  if (type === 'gzip') return createGzip({ level, chunkSize: CHUNK_SIZE })
  return createZstdCompress({ chunkSize: CHUNK_SIZE, params: { [constants.ZSTD_c_compressionLevel]: level } })
}

async function* counted(tar: AsyncIterable<Buffer>, read: (bytes: number) => void): AsyncGenerator<Buffer, void, void> {
  let bytes = 0
  for await (const chunk of tar) {
    read((bytes += chunk.length))
    yield chunk
  }
}
