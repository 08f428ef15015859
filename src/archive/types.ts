/** Data of `archive/`: one entry of a tar archive, as decoded and as to be encoded. The manual is in `index.ts`. */

export type TarEntryType = 'file' | 'directory' | 'symlink' | 'hardlink' | 'character' | 'block' | 'fifo'

/** A stretch of a file that holds data; what lies between is a hole. Bytes. */
export interface Extent {
  offset: number
  length: number
}

export interface TarEntry {
  type: TarEntryType
  /**
   * As in the archive: may be absolute, hold `..` or end in a slash; whoever touches a file system decides what that means. Bytes that are
   * not UTF-8 are kept as lone surrogates, see `encodeName`.
   */
  path: string
  /** Target of a symbolic link, verbatim; for a hard link the path of an earlier entry; empty else. */
  linkPath: string
  /** Permission bits with setuid, setgid and sticky: 0–0o7777. */
  mode: number
  uid: number
  gid: number
  /** Bytes of a file as read by a program, holes included; 0 for anything else. */
  size: number
  /** Nanoseconds since the epoch; may be negative. */
  mtime: bigint
  /** For devices; 0 else. */
  major: number
  minor: number
  /** Extended attributes by full name (`security.capability`, `user.x`). */
  xattrs: ReadonlyMap<string, Buffer>
  /** The data of a sparse file, in order; undefined: everything is data. */
  sparse?: readonly Extent[]
}

/** What the decoder finds, in order: an entry, its data (files only), its end. */
export type TarEvent =
  | { kind: 'entry'; entry: TarEntry }
  /** `bytes` belong at `offset` of the file; a view into the chunk that was pushed. */
  | { kind: 'data'; offset: number; bytes: Buffer }
  | { kind: 'end' }

/** Bounds on what one entry may make the decoder keep in memory. */
export interface TarLimits {
  /** Bytes of a path or link target. Linux takes at most 4,095. */
  maxPathLength: number
  /** Bytes of one PAX header with all its records. Extended attributes live here: Linux allows 64 KiB for each. */
  maxPaxSize: number
  /** Extents of one sparse file. */
  maxExtents: number
}

export const DEFAULT_TAR_LIMITS: TarLimits = { maxPathLength: 4096, maxPaxSize: 1024 * 1024, maxExtents: 65_536 }
