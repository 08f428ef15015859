import { closeSync, constants, openSync, readlinkSync } from 'node:fs'
import { createSystemCalls, type SystemCalls, syscallError } from './ffi/system-calls.ts'
import { ownDescriptor } from './own-descriptor.ts'
import type { FilePath, Files } from './types.ts'

// include/uapi/linux/openat2.h and include/uapi/asm-generic/fcntl.h; node's constants lack them. O_PATH has one value on x64 and arm64.
const RESOLVE_NO_MAGICLINKS = 0x02
const RESOLVE_IN_ROOT = 0x10
export const O_PATH = 0o10000000
const O_CLOEXEC = 0o2000000
const AT_FDCWD = -100
const AT_SYMLINK_NOFOLLOW = 0x100
const NANOSECONDS = 1_000_000_000n
const SEEK_SET = 0
const SEEK_DATA = 3
const SEEK_HOLE = 4

// include/uapi/linux/fs.h; the same on x64 and arm64. The argument is an int, whatever the numbers say of a long.
const FS_IOC_GETFLAGS = 0x80086601
const FS_IOC_SETFLAGS = 0x40086602
const FS_TOPDIR_FL = 0x00020000

// include/uapi/linux/falloc.h
const FALLOC_FL_KEEP_SIZE = 0x01

const ENOENT = 2
const EINTR = 4
const ENXIO = 6
const EAGAIN = 11
const EEXIST = 17
const EXDEV = 18
const EINVAL = 22
const ERANGE = 34
const ENOSYS = 38
const ELOOP = 40
const ENODATA = 61
const EOPNOTSUPP = 95

/** Answers of copy_file_range(2) about two files between which there is no short way. */
const CANNOT_COPY: ReadonlySet<number> = new Set([EXDEV, EINVAL, ENOSYS, EOPNOTSUPP])

/** As many as the kernel follows in one path (MAXSYMLINKS). */
const MAX_SYMLINKS = 40
/** openat2 answers EAGAIN when a rename raced with `..`; an attacker could race for ever. */
const MAX_RACES = 32

/** {@link Files} on the running kernel (Linux 5.6 for openat2). `system` is for tests. */
export function createFiles(system: SystemCalls = createSystemCalls()): Files {
  const xattrs = Buffer.allocUnsafeSlow(256)

  function openInRoot(rootFd: number, path: FilePath, flags: number, mode = 0): number {
    const how = Buffer.alloc(24) // struct open_how: u64 flags, mode, resolve
    const creates = (flags & constants.O_CREAT) !== 0
    how.writeBigUInt64LE(BigInt(flags | O_CLOEXEC), 0)
    how.writeBigUInt64LE(BigInt(creates ? mode : 0), 8) // EINVAL when a mode comes without O_CREAT
    how.writeBigUInt64LE(BigInt(RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS), 16)
    for (let races = 0; ; races++) {
      const result = system.attempt('openat2', rootFd, path.length === 0 ? '.' : terminated(path), how, how.length)
      if (result >= 0) return result
      if ((result !== -EAGAIN && result !== -EINTR) || races === MAX_RACES) throw syscallError('openat2', -result, [String(path)])
    }
  }

  /** `path` has one character for each byte. */
  function tryOpenDirectory(rootFd: number, path: string): number | undefined {
    try {
      return openInRoot(rootFd, Buffer.from(path, 'latin1'), O_PATH | constants.O_DIRECTORY)
    } catch (error) {
      if ((error as { errno?: number }).errno === ENOENT) return undefined
      throw error
    }
  }

  /** `path` has one character for each byte. */
  function mkdirInRoot(rootFd: number, path: string, mode: number, links = 0): number {
    if (links > MAX_SYMLINKS) throw syscallError('mkdirat', ELOOP, [path])
    const existing = tryOpenDirectory(rootFd, path)
    if (existing !== undefined) return existing
    const { parent, name } = splitLast(path)
    const parentFd = mkdirInRoot(rootFd, parent, mode, links)
    try {
      const result = system.attempt('mkdirat', parentFd, terminated(Buffer.from(name, 'latin1')), mode)
      if (result < 0 && result !== -EEXIST) throw syscallError('mkdirat', -result, [path])
      const made = tryOpenDirectory(rootFd, path)
      if (made !== undefined) return made
      // The name exists and yet leads nowhere: a dangling link such as /var/run -> /run. What it points to is made, inside the root.
      const target = readlinkSync(Buffer.from(`/proc/self/fd/${parentFd}/${name}`, 'latin1'), { encoding: 'latin1' })
      return mkdirInRoot(rootFd, target.startsWith('/') ? target : `${parent}/${target}`, mode, links + 1)
    } finally {
      closeSync(parentFd)
    }
  }

  /** Calls `read` with a buffer, once more with a bigger one when the value did not fit; undefined when there is no such attribute or no support. */
  function readXattr(call: string, path: FilePath | number, read: (buffer: Buffer) => number): Buffer | undefined {
    // 65536 is XATTR_SIZE_MAX and XATTR_LIST_MAX (include/uapi/linux/limits.h): the second try always fits.
    for (let size = 256; ; size = 65536) {
      const buffer = size === 256 ? xattrs : Buffer.alloc(size)
      const result = read(buffer)
      if (result >= 0) return Buffer.from(buffer.subarray(0, result))
      if (result === -ENODATA || result === -EOPNOTSUPP) return undefined
      if (result !== -ERANGE || size === 65536) throw syscallError(call, -result, [String(path)])
    }
  }

  return {
    openRoot(path) {
      return ownDescriptor(openSync(path, O_PATH | constants.O_DIRECTORY))
    },
    openInRoot,
    mkdirInRoot: (rootFd, path, mode) => mkdirInRoot(rootFd, Buffer.from(path).toString('latin1'), mode),
    mknodAt(dirFd, name, mode, major, minor) {
      if (name.includes('/')) throw syscallError('mknodat', EINVAL, [String(name)]) // a path would be followed through links the root does not confine
      system.call('mknodat', dirFd, terminated(name), mode, makeDevice(major, minor))
    },
    getXattr: (path, name) =>
      readXattr('getxattr', path, (buffer) =>
        typeof path === 'number'
          ? system.attempt('fgetxattr', path, name, buffer, buffer.length)
          : system.attempt('lgetxattr', terminated(path), name, buffer, buffer.length),
      ),
    listXattr(path) {
      const names = readXattr('listxattr', path, (buffer) =>
        typeof path === 'number'
          ? system.attempt('flistxattr', path, buffer, buffer.length)
          : system.attempt('llistxattr', terminated(path), buffer, buffer.length),
      )
      return names === undefined || names.length === 0 ? [] : names.toString('utf8', 0, names.length - 1).split('\0')
    },
    setXattr(path, name, value) {
      system.call('lsetxattr', terminated(path), name, value.length === 0 ? null : value, value.length, 0)
    },
    removeXattr(path, name) {
      system.call('lremovexattr', terminated(path), name)
    },
    setTimes(path, atime, mtime) {
      system.call('utimensat', AT_FDCWD, terminated(path), timespecs(atime, mtime), AT_SYMLINK_NOFOLLOW)
    },
    setOpenTimes(fd, atime, mtime) {
      system.call('utimensat', fd, null, timespecs(atime, mtime), 0) // as futimens(3)
    },
    syncfs(path) {
      using file = ownDescriptor(openSync(path, constants.O_RDONLY | constants.O_NONBLOCK))
      const result = system.attempt('syncfs', file.fd)
      if (result < 0) throw syscallError('syncfs', -result, [path])
    },
    spreadSubdirectories(path) {
      using directory = ownDescriptor(openSync(path, constants.O_RDONLY | constants.O_DIRECTORY))
      const flags = new Int32Array(2)
      // A hint that cannot be given is no failure: it is about speed.
      if (system.attempt('ioctl', directory.fd, FS_IOC_GETFLAGS, flags) < 0) return
      flags[0] = (flags[0] ?? 0) | FS_TOPDIR_FL
      system.attempt('ioctl', directory.fd, FS_IOC_SETFLAGS, flags)
    },
    reserveSpace(path, bytes) {
      using file = ownDescriptor(openSync(path, constants.O_WRONLY))
      system.attempt('fallocate', file.fd, FALLOC_FL_KEEP_SIZE, 0, bytes) // a precaution: without it there is what there was
    },
    copyRange(fromFd, toFd, { offset, length }) {
      const [source, target] = [BigInt64Array.of(BigInt(offset)), BigInt64Array.of(BigInt(offset))]
      for (let left = length; left > 0;) {
        const copied = system.attempt('copy_file_range', fromFd, source, toFd, target, left, 0)
        if (left === length && CANNOT_COPY.has(-copied)) return false
        if (copied < 0 && copied !== -EINTR) throw syscallError('copy_file_range', -copied, [fromFd, toFd])
        if (copied === 0) break // the file has become shorter
        left -= Math.max(copied, 0)
      }
      return true
    },
    dataExtents(fd, size) {
      const extents: { offset: number; length: number }[] = []
      let end = 0
      while (end < size) {
        const start = system.attempt('lseek', fd, end, SEEK_DATA)
        if (start === -ENXIO) break // nothing but a hole up to the end
        if (start === -EINVAL && end === 0) return [{ offset: 0, length: size }] // no support here: all of it is data
        if (start < 0) throw syscallError('lseek', -start, [fd])
        const hole = system.attempt('lseek', fd, start, SEEK_HOLE)
        if (hole < 0 && hole !== -ENXIO) throw syscallError('lseek', -hole, [fd]) // ENXIO: truncated meanwhile
        end = hole < 0 ? size : Math.min(hole, size)
        if (start < end) extents.push({ offset: start, length: end - start })
        if (hole < 0) break
      }
      system.attempt('lseek', fd, 0, SEEK_SET)
      return extents
    },
  }
}

/** Bytes of a name need the NUL that strings get by themselves; one inside would cut the name short after all checks have seen the whole. */
function terminated(path: FilePath): FilePath {
  if (typeof path === 'string') return path
  if (path.includes(0)) throw syscallError('path', EINVAL, [String(path)])
  return Buffer.concat([path, Buffer.of(0)])
}

/** struct timespec[2]: seconds, nanoseconds. */
function timespecs(atime: bigint, mtime: bigint): BigInt64Array {
  return BigInt64Array.of(...timespec(atime), ...timespec(mtime))
}

/** Nanoseconds are never negative: a time before the epoch counts up from an earlier second. */
function timespec(time: bigint): [bigint, bigint] {
  const nanoseconds = ((time % NANOSECONDS) + NANOSECONDS) % NANOSECONDS
  return [(time - nanoseconds) / NANOSECONDS, nanoseconds]
}

/** The kernel's 32-bit device number (include/linux/kdev_t.h, new_encode_dev): 12 bits of major, 20 of minor. */
export function makeDevice(major: number, minor: number): number {
  if (major > 0xfff || minor > 0xfffff || major < 0 || minor < 0) throw syscallError('makedev', EINVAL, [major, minor])
  return ((minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12)) >>> 0
}

function splitLast(path: string): { parent: string; name: string } {
  const trimmed = path.replace(/\/+$/, '')
  const slash = trimmed.lastIndexOf('/')
  return { parent: trimmed.slice(0, Math.max(slash, 0)), name: trimmed.slice(slash + 1) }
}
