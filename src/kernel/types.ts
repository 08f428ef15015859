/**
 * Contracts of `kernel/`: what the other modules call. One object per concern, each with a recording fake in `fake/`.
 * Failures are `SyscallError`. Descriptors are plain numbers owned by the caller unless wrapped in a Disposable.
 */

import type { Flow } from './netlink/conntrack.ts'
import type { AddressInfo, LinkInfo, LinkTarget, RouteInfo } from './netlink/route-messages.ts'
import type { NftOperation, NftTable } from './nftables/operations.ts'
import type { OverlayPlan, PortReservation } from './plans.ts'

/** A path as text, or as the bytes of a name that is not UTF-8. */
export type FilePath = string | Buffer

/** Files and trees below a root that may be hostile. */
export interface Files {
  /** Opens a directory with O_PATH|O_DIRECTORY|O_CLOEXEC; the anchor for the `…InRoot` calls. */
  openRoot(path: string): Disposable & { fd: number }
  /**
   * openat2(2) with RESOLVE_IN_ROOT|RESOLVE_NO_MAGICLINKS: symlinks, `..` and absolute targets stay inside `rootFd`. Adds O_CLOEXEC.
   * `flags` are node's `fs.constants`. Returns a descriptor.
   */
  openInRoot(rootFd: number, path: FilePath, flags: number, mode?: number): number
  /** Makes every missing directory of `path` inside the root; returns an O_PATH descriptor of the last. */
  mkdirInRoot(rootFd: number, path: FilePath, mode: number): number
  /** mknodat(2) relative to `dirFd`; `mode` includes the S_IF… type. */
  mknodAt(dirFd: number, name: FilePath, mode: number, major: number, minor: number): void
  /** Extended attributes of the path itself, links not followed, or of an open file. Absent attribute or unsupported file system: undefined / []. */
  getXattr(path: FilePath | number, name: string): Buffer | undefined
  listXattr(path: FilePath | number): string[]
  setXattr(path: FilePath, name: string, value: Buffer): void
  removeXattr(path: FilePath, name: string): void
  /** utimensat(2), links not followed: access and modification time in nanoseconds since the epoch (node's own are cut to microseconds). */
  setTimes(path: FilePath, atime: bigint, mtime: bigint): void
  /** The same for what is open, but not with O_PATH. */
  setOpenTimes(fd: number, atime: bigint, mtime: bigint): void
  /** Flushes the file system that holds `path`. Blocks: call it off the main thread. */
  syncfs(path: string): void
  /**
   * Tells ext4 that the subdirectories to come of this directory have nothing to do with each other: it puts each in a block group of its own instead of
   * near the others (`chattr +T`, ext4(5)). Other file systems, and callers that do not own it, are left alone.
   */
  spreadSubdirectories(path: string): void
  /**
   * Gives a file blocks for its first `bytes` bytes without making it longer (fallocate(2), FALLOC_FL_KEEP_SIZE): it can grow to there on a full disk.
   * Where that cannot be done, or the disk is full already, nothing happens.
   */
  reserveSpace(path: string, bytes: number): void
  /**
   * Copies a stretch of a file to the same place in another one inside the kernel: blocks are shared where the file system can (copy_file_range(2)). False: it
   * cannot be done between these two; nothing was written then.
   */
  copyRange(fromFd: number, toFd: number, range: { offset: number; length: number }): boolean
  /** SEEK_DATA/SEEK_HOLE extents of a regular file, for sparse copies. */
  dataExtents(fd: number, size: number): { offset: number; length: number }[]
}

export interface Mounts {
  mount(source: string, target: string, type: string, flags: number, data: string): void
  /** `detach`: MNT_DETACH. EINVAL (not a mount) is an error. */
  unmount(target: string, options?: { detach?: boolean }): void
  /**
   * A detached overlay (fsopen, fsconfig, fsmount): no entry in any mount table, gone when disposed. `upper` and `work` empty: read-only.
   * `path` is `/proc/self/fd/N`; valid in this process only.
   */
  overlay(plan: OverlayPlan): Disposable & { fd: number; path: string }
}

/** Links, addresses and routes of one network namespace, by rtnetlink. Requests are made by the `encode…` functions and a `MessageWriter`. */
export interface RouteNetlink extends Disposable {
  /** Sends complete requests at once. Every one is carried out; the first that was refused is thrown as SyscallError with the kernel's text. */
  send(requests: Buffer): void
  /** The same on a thread of the pool, one after the other: for deleting links, which waits 10 to 30 ms for readers inside the kernel. */
  sendInBackground(requests: Buffer): Promise<void>
  /** One link, or undefined. Costs about 15 µs; a dump of all grows with their number. */
  link(target: LinkTarget): LinkInfo | undefined
  links(): LinkInfo[]
  addresses(): AddressInfo[]
  /** Unicast routes of all tables and both families. */
  routes(): RouteInfo[]
}

/** Tables of nftables in one network namespace, by nfnetlink. */
export interface Nftables extends Disposable {
  /** One transaction. Throws SyscallError that names the operation; nothing has happened then. */
  apply(table: NftTable, operations: readonly NftOperation[]): void
  /** Names of the table's chains; empty when there is no such table. */
  chains(table: NftTable): string[]
  /** Elements of a set or map, parts of concatenations padded to 4 bytes. ENOENT when there is none. */
  elements(table: NftTable, set: string): { key: Buffer; data?: Buffer }[]
}

/** Kernel settings by path below /proc/sys, `net/ipv4/ip_forward`. */
export interface Sysctls {
  /** Without the newline; undefined when this kernel has no such setting. */
  read(path: string): string | undefined
  write(path: string, value: string): void
}

/**
 * Whether a port could be bound right now: false when something has it. `addressBytes` is `reservation.address` in binary. Other failures (an address
 * the host does not have: EADDRNOTAVAIL) are SyscallError.
 */
export type PortProbe = (reservation: PortReservation, addressBytes: Buffer) => boolean

/** The kernel's table of connections, by ctnetlink. */
export interface Conntrack extends Disposable {
  /**
   * Deletes the entries whose first packet went to one of these, and says how many. The kernel walks its whole hash table once per family: some 10 ms
   * even when it is empty, spent on a thread of the pool.
   */
  forget(flows: readonly Flow[]): Promise<number>
}

/** Other network namespaces. `path` is `/proc/<pid>/ns/net`; a process that is gone is ENOENT. */
export interface NetworkNamespaces {
  /** Runs `action` in the namespace, with a socket of it; synchronous only. Sysctls of the network are the namespace's own meanwhile. */
  run<T>(path: string, action: (route: RouteNetlink) => T): T
}
