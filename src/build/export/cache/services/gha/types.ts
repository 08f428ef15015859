/** An entry that the service has. */
export interface CacheEntry {
  key: string
  /** Where its content is; good for some minutes, and to be kept to oneself. */
  url: string
}

/** Entries of the GitHub Actions cache, in either version of its protocol. An entry that is written is never changed. */
export interface ActionsCache {
  /** The entry of this key, else the newest one whose key begins with it. */
  find(key: string, signal: AbortSignal): Promise<CacheEntry | undefined>
  /** Throws CONFLICT for a key that is taken, or is just being written. */
  save(key: string, size: number, content: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void>
}
