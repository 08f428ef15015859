import type { Digest } from '#oci'
import type { ChainId } from '#snapshots'
import type { CacheRecordType } from './types.ts'

/** What one step has left, found by its keys. A row of the collection `buildCache`, written whole; never changed but for what is said to change. */
export interface CacheRecord {
  /** 25 characters, as BuildKit's. */
  id: string
  /** The key that steps above depend on. */
  key: Digest
  /** The same without the chance in keys of steps that were run again by `--no-cache`: equal on all machines. */
  portableKey: Digest
  /** Definition keys that led here. Grows with use, see {@link MAX_ALIASES}. */
  aliases: KeyPair[]
  /** By output; absent: an empty file system. */
  outputs: { chain?: ChainId }[]
  type: CacheRecordType
  description: string
  /** Ids of the records of the inputs. */
  parents: string[]
  createdAt: number
  lastUsedAt?: number
  usageCount: number
  /** Bytes that the record holds beside its parents; absent: not measured yet. */
  size?: number
}

export interface KeyPair {
  key: Digest
  portableKey: Digest
}

/** A stage that changes often and leaves the same leads to one record by ever new keys; the latest ones are kept. */
export const MAX_ALIASES = 32
