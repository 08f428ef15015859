/** `types/build` of Docker's API. */

export interface BuildCacheRecord {
  ID: string
  /** From API 1.42 on; absent without parents. */
  Parents?: string[]
  /** Up to API 1.41: the first one. */
  Parent?: string
  Type: string
  Description: string
  InUse: boolean
  Shared: boolean
  /** Bytes. */
  Size: number
  /** RFC 3339. */
  CreatedAt: string
  LastUsedAt: string | null
  UsageCount: number
}

export interface BuildPruneReport {
  CachesDeleted: string[] | null
  SpaceReclaimed: number
}
