/**
 * What a build may ask of the client that wants it. One implementation per door: BuildKit's session (`#buildkit`), and a tar context that came with
 * the request (`uploaded-session.ts`).
 */

import type { Duplex, Readable, Writable } from 'node:stream'
import type { Credentials } from '#remotes'

/** One entry of a directory as the client sees it. Shape of fsutil's Stat, with the mode as in struct stat. */
export interface FileStat {
  /** Relative, `/` between names, no `.` or `..`. */
  path: string
  /** st_mode, type bits included. */
  mode: number
  uid: number
  gid: number
  /** Bytes, of a regular file. */
  size: number
  /** Nanoseconds since the epoch. */
  mtime: bigint
  /** Of a symbolic link its target; of a hard link the path, sent before, that it is another name of; else empty. */
  linkname: string
  device: { major: number; minor: number }
  xattrs: Record<string, Uint8Array>
}

export interface SyncRequest {
  name: string
  includePatterns: readonly string[]
  excludePatterns: readonly string[]
  followPaths: readonly string[]
  signal: AbortSignal
}

/**
 * A directory in transfer. First all entries come, parents before children, in lexical order by components; then files are asked for, in any
 * number at once. Closed by its owner.
 */
export interface DirectoryTransfer extends AsyncDisposable {
  entries(): AsyncIterable<FileStat>
  /** The content of the `index`th entry, which is a regular file. Only after `entries` has ended. */
  read(index: number): AsyncIterable<Uint8Array>
  /**
   * Where all of it, perhaps with more than is needed, but nothing that is excluded, lies on this host, if it does. It stays as it is until the session is
   * closed: there is nothing to transfer.
   */
  place?(): Promise<string | undefined>
  /** Instead of reading it: where the `index`th entry lies on this host, if it does. It may be linked, and stays as it is. */
  hostPath?(index: number): string | undefined
}

/** Where an exporter's files go. */
export interface ExportTarget {
  /** The client's id of the exporter; empty: its only one. */
  exporter: string
  /** Told to the client beside the data. */
  metadata: Readonly<Record<string, string>>
  signal: AbortSignal
}

export interface BuildSession {
  readonly id: string
  /** Names the machine and directory of the client: what it sent before is used again. Empty: nothing is. */
  readonly sharedKey: string
  /** Base images get into the store with their names, as clients of the classic builder expect. */
  readonly namesImages?: boolean
  /** Aborts when the client has gone. */
  readonly closed: AbortSignal
  /** Throws NOT_FOUND when the client has no directory of this name. */
  directory(request: SyncRequest): Promise<DirectoryTransfer>
  /** Bytes of a secret, at most 500 KiB; undefined: the client has none of this id. */
  secret(id: string): Promise<Uint8Array | undefined>
  /** Throws NOT_FOUND when the client forwards no agent of this id. */
  checkAgent(id: string): Promise<void>
  /** A connection to the client's SSH agent. */
  forwardAgent(id: string): Promise<Duplex>
  /** Login for a registry; undefined: without one. */
  credentials(host: string): Promise<Credentials | undefined>
  /** What the client offers for `http://buildkit-session/<path>`: a context or Dockerfile from its standard input. */
  upload(url: URL): Promise<Readable>
  /** One file to the client: an archive. Ends when the client has all of it. */
  sendFile(target: ExportTarget): Promise<Writable>
  /** A whole tree to the client. `read` gives the content of the entry. */
  sendDirectory(target: ExportTarget, entries: AsyncIterable<FileStat>, read: (path: string) => AsyncIterable<Uint8Array>): Promise<void>
  /** Blobs of a store of the client, by its id: OCI layouts, local caches. */
  store(id: string): ClientStore
}

/** containerd's content service of the client. */
export interface ClientStore {
  /** Bytes of a blob; undefined: not there. */
  size(digest: string): Promise<number | undefined>
  read(digest: string, options: { signal: AbortSignal }): AsyncIterable<Uint8Array>
  write(
    digest: string,
    size: number,
    content: AsyncIterable<Uint8Array>,
    options: { mediaType: string; signal: AbortSignal },
  ): Promise<void>
  /** Of local caches: what a tag of the layout's index points to; undefined: nothing. */
  labels(digest: string): Promise<Record<string, string>>
}
