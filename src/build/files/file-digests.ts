import type { BigIntStats } from 'node:fs'

/** Bytes of one record: device, inode, size, mtime and ctime (ns), digest. */
const RECORD = 5 * 8 + 32

/**
 * A file that was changed this shortly before it was read may be changed again within the same tick of the kernel's clock, unnoticed: it is read again next time.
 */
const TICK = 20_000_000n

/** Digests of files (content and attributes) that have not changed since, told by their stat(2). Goes between threads as bytes: tens of thousands of objects would be copied one by one. */
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

  function keep(record: Buffer, inode: bigint): void {
    if (!seen.has(inode)) met.push(record)
    seen.add(inode)
  }

  return {
    get(stat) {
      const offset = offsets.get(stat.ino)
      if (offset === undefined) return undefined
      const record = bytes.subarray(offset, offset + RECORD)
      if (!record.subarray(0, RECORD - 32).equals(keyOf(stat))) return undefined
      keep(record, stat.ino)
      return record.toString('hex', RECORD - 32)
    },
    put(stat, digest) {
      if (now - stat.ctimeNs > TICK) keep(Buffer.concat([keyOf(stat), Buffer.from(digest, 'hex')]), stat.ino)
      return digest
    },
    records: () => Buffer.concat(met),
  }
}

function keyOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): Buffer {
  const key = Buffer.alloc(RECORD - 32)
  for (const [index, value] of [dev, ino, size, mtimeNs, ctimeNs].entries()) key.writeBigInt64LE(BigInt.asIntN(64, value), index * 8)
  return key
}
