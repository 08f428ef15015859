/**
 * The bytes of a recipe: how a layer's tar is put together again from the layer's files.
 *
 * ```
 * recipe  = magic record* "E"
 * record  = "R" u32 length, bytes            bytes of the tar as they are: headers, padding, data that no file has
 *         | "F" u16 length, path             the file that the following stretches are of; as in the archive
 *         | "D" u64 offset, u64 length, u32  a stretch of that file, and its CRC-32
 * ```
 *
 * Numbers are little endian; the whole is compressed with zstd. "E" says that nothing is missing. The CRC names the file that was changed; that the tar
 * is the right one, only its digest says.
 */

import { EngineError } from '#errors'

const MAGIC: Buffer = Buffer.from('gantry layer recipe 1\n')
const RAW = 0x52
const FILE = 0x46
const DATA = 0x44
const END = 0x45

/** Longer stretches of raw bytes become several records, so that reading one needs little memory. */
const MAX_RAW = 1024 * 1024
/** As {@link DEFAULT_TAR_LIMITS} allows. */
const MAX_PATH = 4096

export type RecipePart =
  | { kind: 'raw'; bytes: Buffer }
  /** `path` is the entry's in the archive. */
  | { kind: 'data'; path: string; offset: number; length: number; crc32: number }

/** Makes records of parts; `path` is written when it changes. */
export interface RecipeEncoder {
  raw(bytes: Buffer): Buffer[]
  data(part: Omit<RecipePart & { kind: 'data' }, 'kind' | 'path'> & { path: Buffer }): Buffer[]
  start(): Buffer
  end(): Buffer
}

export function createRecipeEncoder(): RecipeEncoder {
  let current: Buffer | undefined
  return {
    start: () => MAGIC,
    end: () => Buffer.of(END),
    raw(bytes) {
      const records: Buffer[] = []
      for (let position = 0; position < bytes.length; position += MAX_RAW) {
        const piece = bytes.subarray(position, position + MAX_RAW)
        const head = Buffer.alloc(5, RAW)
        head.writeUInt32LE(piece.length, 1)
        records.push(head, piece)
      }
      return records
    },
    data({ path, offset, length, crc32 }) {
      const records: Buffer[] = []
      if (current?.equals(path) !== true) {
        const head = Buffer.alloc(3, FILE)
        head.writeUInt16LE(path.length, 1)
        records.push(head, path)
        current = path
      }
      const record = Buffer.alloc(21, DATA)
      record.writeBigUInt64LE(BigInt(offset), 1)
      record.writeBigUInt64LE(BigInt(length), 9)
      record.writeUInt32LE(crc32, 17)
      records.push(record)
      return records
    },
  }
}

export interface RecipeDecoder {
  /** Parts of the next chunk of the decompressed recipe. Throws DATA_LOSS for what is no recipe. */
  push(chunk: Buffer): Generator<RecipePart, void, void>
  /** After the last chunk. Throws DATA_LOSS when the end is missing. */
  finish(): void
}

/** `decodePath`: how a name's bytes become a path. */
export function createRecipeDecoder(decodePath: (bytes: Buffer) => string): RecipeDecoder {
  let rest: Buffer = Buffer.alloc(0)
  let started = false
  let ended = false
  let path: string | undefined

  /** One record at the start of `rest`: its length and what it says; undefined when more bytes are needed. */
  function decode(): { length: number; part?: RecipePart } | undefined {
    if (!started) {
      if (rest.length < MAGIC.length) return undefined
      if (!rest.subarray(0, MAGIC.length).equals(MAGIC)) throw damaged()
      started = true
      return { length: MAGIC.length }
    }
    if (ended) throw damaged()
    switch (rest[0]) {
      case RAW:
        return variable(5, rest.length < 5 ? 0 : rest.readUInt32LE(1), MAX_RAW, (bytes) => ({ kind: 'raw', bytes }))
      case FILE:
        return variable(3, rest.length < 3 ? 0 : rest.readUInt16LE(1), MAX_PATH, (bytes) => void (path = decodePath(bytes)))
      case DATA: {
        if (rest.length < 21) return undefined
        if (path === undefined) throw damaged()
        const [offset, length] = [Number(rest.readBigUInt64LE(1)), Number(rest.readBigUInt64LE(9))]
        if (!Number.isSafeInteger(offset + length)) throw damaged()
        return { length: 21, part: { kind: 'data', path, offset, length, crc32: rest.readUInt32LE(17) } }
      }
      case END:
        ended = true
        return { length: 1 }
      default:
        throw damaged()
    }
  }

  function variable(
    head: number,
    length: number,
    limit: number,
    make: (bytes: Buffer) => RecipePart | void,
  ): { length: number; part?: RecipePart } | undefined {
    if (length > limit) throw damaged()
    if (rest.length < head || rest.length < head + length) return undefined
    const part = make(rest.subarray(head, head + length))
    return { length: head + length, ...(part ? { part } : {}) }
  }

  return {
    *push(chunk) {
      rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
      while (rest.length > 0) {
        const record = decode()
        if (record === undefined) return
        rest = rest.subarray(record.length)
        if (record.part !== undefined) yield record.part
      }
    },
    finish() {
      if (!ended || rest.length > 0) throw damaged()
    },
  }
}

function damaged(): EngineError {
  return new EngineError('DATA_LOSS', 'Cannot read the recipe of a layer: it is damaged')
}
