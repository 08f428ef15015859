import { decodeName, encodeName } from '#archive'
import type { FileStat } from '#build'
import { invalidArgument } from '#errors'
import type { fsutil, MessageInitShape } from '#grpc'
import { goFileMode, posixFileMode } from '#lib'

/** What the client said of an entry. Throws INVALID_ARGUMENT for a path that leads out, and for types that are none. */
export function fromStat(stat: fsutil.Stat): FileStat {
  const { uid, gid, size, modTime, devmajor, devminor, xattrs } = stat
  const path = decodeName(Buffer.from(stat.path))
  const mode = posixFileMode(stat.mode)
  if (mode === undefined) throw invalidArgument(`invalid file type of ${JSON.stringify(path)}: ${stat.mode.toString(8)}`)
  return {
    path: safePath(path),
    mode,
    uid,
    gid,
    size: Number(size),
    mtime: modTime,
    linkname: decodeName(Buffer.from(stat.linkname)),
    device: { major: Number(devmajor), minor: Number(devminor) },
    xattrs,
  }
}

export function toStat(stat: FileStat): MessageInitShape<typeof fsutil.StatSchema> {
  const { path, mode, uid, gid, size, mtime, linkname, device, xattrs } = stat
  return {
    path: encodeName(path),
    mode: goFileMode(mode),
    uid,
    gid,
    size: BigInt(size),
    modTime: mtime,
    linkname: encodeName(linkname),
    devmajor: BigInt(device.major),
    devminor: BigInt(device.minor),
    xattrs,
  }
}

/** A client may send `../../etc/passwd`. */
function safePath(path: string): string {
  const names = path.replace(/^\/+/, '').split('/')
  if (path.includes('\0') || names.some((name) => name === '' || name === '.' || name === '..')) {
    throw invalidArgument(`invalid path of a file: ${JSON.stringify(path)}`)
  }
  return names.join('/')
}
