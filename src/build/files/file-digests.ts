import type { BigIntStats } from 'node:fs'

/** Bytes of what a file is told by: device, inode, size, mtime and ctime (ns), in this machine's byte order. */
const KEY = 5 * 8
/** Bytes of one record: the key, and the digest. */
const RECORD = KEY + 32

/**
 * A file that was changed this shortly before it was read may be changed again within the same tick of the kernel's clock, unnoticed: it is read again next time.
 */
const TICK = 20_000_000n

/**
 * Digests of files (content and attributes) that have not changed since, told by their stat(2). Goes between threads as bytes: tens of thousands of objects would
 * be copied one by one.
 */
export interface FileDigests {
  /** Hexadecimal digits; undefined: it has to be read. */
  get(stat: BigIntStats): string | undefined
  /** Returns the digest. */
  put(stat: BigIntStats, digest: string): string
  /** What this run has met. */
  records(): Uint8Array
}

/** `known`: records of an earlier run. */
export function createFileDigests(known: Uint8Array): FileDigests {
  const bytes = Buffer.from(known.buffer, known.byteOffset, known.byteLength)
  const offsets = new Map<bigint, number>()
  for (let offset = 0; offset + RECORD <= bytes.length; offset += RECORD) offsets.set(bytes.readBigUInt64LE(offset + 8), offset)
  const met: Buffer[] = []
  const seen = new Set<bigint>()
  const now = BigInt(Date.now()) * 1_000_000n
  const key = Buffer.alloc(KEY)
  const numbers = new BigInt64Array(key.buffer, key.byteOffset, KEY / 8)

  /** Sets `key`; a number at a time would cost more than the look at the file. */
  function setKey({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): void {
    numbers[0] = dev
    numbers[1] = ino
    numbers[2] = size
    numbers[3] = mtimeNs
    numbers[4] = ctimeNs
  }

  function keep(record: Buffer, inode: bigint): void {
    if (!seen.has(inode)) met.push(record)
    seen.add(inode)
  }

  return {
    get(stat) {
      const offset = offsets.get(stat.ino)
      if (offset === undefined) return undefined
      setKey(stat)
      if (bytes.compare(key, 0, KEY, offset, offset + KEY) !== 0) return undefined
      keep(bytes.subarray(offset, offset + RECORD), stat.ino)
      return bytes.toString('hex', offset + KEY, offset + RECORD)
    },
    put(stat, digest) {
      setKey(stat)
      if (now - stat.ctimeNs > TICK) keep(Buffer.concat([key, Buffer.from(digest, 'hex')]), stat.ino)
      return digest
    },
    records: () => Buffer.concat(met),
  }
}
