/** Compressions that images and root file systems come in, told apart by their first bytes. */

import { spawn } from 'node:child_process'
import type { Duplex } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createZstdDecompress } from 'node:zlib'
import { EngineError, invalidArgument } from '#errors'

export type Compression = 'none' | 'gzip' | 'zstd' | 'bzip2' | 'xz'

type Chunks = AsyncGenerator<Buffer, void, void>

/** First bytes → compression. Sources: RFC 1952 §2.3.1, RFC 8878 §3.1.1, bzip2 and xz file formats. */
const MAGIC: readonly (readonly [Compression, readonly number[]])[] = [
  ['gzip', [0x1f, 0x8b, 0x08]],
  ['zstd', [0x28, 0xb5, 0x2f, 0xfd]],
  ['bzip2', [0x42, 0x5a, 0x68]],
  ['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
]

/** As many bytes as `detectCompression` wants to see. */
const LONGEST_MAGIC = 6

/** Bytes that one turn of zlib produces: enough that the way to the thread pool and back does not count. */
const OUTPUT_CHUNK = 512 * 1024

export function detectCompression(start: Uint8Array): Compression {
  return MAGIC.find(([, magic]) => magic.every((byte, index) => start[index] === byte))?.[0] ?? 'none'
}

/** What a compressed input may grow to before it is taken for a bomb: always `floor` bytes, beyond that `ratio` times what was read. */
export interface ExpansionLimit {
  floor: number
  ratio: number
}

/**
 * Ten GiB, then a thousandfold. Honest images of mostly zeros reach 1030:1 (gzip's best), so the floor has to be generous: this ends
 * endless growth, while the free space of the disk is the caller's to watch.
 */
export const DEFAULT_EXPANSION_LIMIT: ExpansionLimit = { floor: 10 * 1024 ** 3, ratio: 1000 }

/**
 * The content of a stream that may be compressed. gzip and zstd are inflated on node's thread pool, so the reader works at the same time;
 * bzip2 and xz by the system's programs. Throws INVALID_ARGUMENT for corrupt or truncated input, one that exceeds `limit`, or one whose
 * program is missing; errors of `source` pass through.
 */
export async function decompress(
  source: AsyncIterable<Buffer>,
  limit: ExpansionLimit = DEFAULT_EXPANSION_LIMIT,
): Promise<{ compression: Compression; chunks: Chunks }> {
  const { start, all } = await peek(source, LONGEST_MAGIC)
  const compression = detectCompression(start)
  if (compression === 'none') return { compression, chunks: all }
  if (compression === 'bzip2' || compression === 'xz') return { compression, chunks: runProgram(compression, all, limit) }
  const inflater = compression === 'gzip' ? createGunzip(INFLATER_OPTIONS) : createZstdDecompress(INFLATER_OPTIONS)
  return { compression, chunks: inflate(compression, inflater, all, limit) }
}

/** The mark lets the next piece be inflated while the reader is busy with the last one. */
const INFLATER_OPTIONS: { chunkSize: number; highWaterMark: number } = { chunkSize: OUTPUT_CHUNK, highWaterMark: 2 * OUTPUT_CHUNK }

async function* inflate(compression: Compression, inflater: Duplex, source: Chunks, limit: ExpansionLimit): Chunks {
  const guard = createGuard(limit)
  let sourceError: unknown
  const feed = pipeline(
    guard.read(source, (error) => (sourceError = error)),
    inflater,
  )
  feed.catch(() => {}) // the same error comes out of the inflater
  try {
    for await (const chunk of inflater as AsyncIterable<Buffer>) {
      guard.written(chunk)
      yield chunk
    }
    await feed
  } catch (error) {
    if (error instanceof EngineError) throw error
    throw sourceError ?? invalidArgument(`Cannot decompress ${compression}: ${(error as Error).message}`, error)
  } finally {
    inflater.destroy()
  }
}

async function* runProgram(program: 'bzip2' | 'xz', source: Chunks, limit: ExpansionLimit): Chunks {
  const guard = createGuard(limit)
  let sourceError: unknown
  // No shell, and no file name: the data goes through pipes.
  const child = spawn(program, ['--decompress', '--stdout'], { stdio: ['pipe', 'pipe', 'pipe'], env: { PATH: SYSTEM_PATH, LC_ALL: 'C' } })
  const ended = new Promise<string>((resolve) => {
    let complaint = ''
    child.stderr.on('data', (text: Buffer) => (complaint = (complaint + text.toString()).slice(0, 1000)))
    child.once('error', (error: NodeJS.ErrnoException) =>
      resolve(error.code === 'ENOENT' ? `the program ${program} is not installed` : error.message),
    )
    child.once('close', (code) => resolve(code === 0 ? '' : complaint.trim() || `${program} ended with ${code}`))
  })
  const feed = pipeline(
    guard.read(source, (error) => (sourceError = error)),
    child.stdin,
  )
  feed.catch(() => {}) // EPIPE of a program that gave up: its own words say more
  try {
    for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
      guard.written(chunk)
      yield chunk
    }
    const complaint = await ended
    if (complaint !== '') throw sourceError ?? invalidArgument(`Cannot decompress ${program}: ${complaint}`)
  } finally {
    child.kill('SIGKILL')
  }
}

/** Where Debian and others keep bzip2 and xz; the daemon's own PATH is not asked. */
const SYSTEM_PATH = '/usr/local/bin:/usr/bin:/bin'

function createGuard(limit: ExpansionLimit): {
  read: (source: Chunks, failed: (error: unknown) => void) => Chunks
  written: (chunk: Buffer) => void
} {
  let read = 0
  let written = 0
  return {
    async *read(source, failed) {
      try {
        for await (const chunk of source) {
          read += chunk.length
          yield chunk
        }
      } catch (error) {
        failed(error)
        throw error
      }
    },
    written(chunk) {
      written += chunk.length
      if (written > limit.floor && written > read * limit.ratio) {
        throw invalidArgument(`Cannot decompress: ${read} bytes grow to more than ${limit.floor} bytes and ${limit.ratio} times their size`)
      }
    },
  }
}

/** The first `count` bytes (fewer when there are no more) and the whole stream again. */
async function peek(source: AsyncIterable<Buffer>, count: number): Promise<{ start: Buffer; all: Chunks }> {
  const iterator = source[Symbol.asyncIterator]()
  let start: Buffer = Buffer.alloc(0)
  while (start.length < count) {
    const next = await iterator.next()
    if (next.done === true) break
    start = start.length === 0 ? next.value : Buffer.concat([start, next.value])
  }
  return { start, all: rejoin(start, iterator) }
}

async function* rejoin(start: Buffer, iterator: AsyncIterator<Buffer>): Chunks {
  try {
    if (start.length > 0) yield start
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) yield next.value
  } finally {
    await iterator.return?.()
  }
}
