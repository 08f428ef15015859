import { constants } from 'node:fs'

/** Bits of Go's os.FileMode above the permissions, as clients of the archive endpoints decode them. Source: Go's documentation of io/fs. */
const GO = {
  directory: 2 ** 31,
  symlink: 1 << 27,
  device: 1 << 26,
  namedPipe: 1 << 25,
  socket: 1 << 24,
  setuid: 1 << 23,
  setgid: 1 << 22,
  charDevice: 1 << 21,
  sticky: 1 << 20,
} as const

const TYPES = new Map<number, number>([
  [constants.S_IFDIR, GO.directory],
  [constants.S_IFLNK, GO.symlink],
  [constants.S_IFBLK, GO.device],
  [constants.S_IFCHR, GO.device + GO.charDevice],
  [constants.S_IFIFO, GO.namedPipe],
  [constants.S_IFSOCK, GO.socket],
])

/** From st_mode of stat(2). */
export function goFileMode(mode: number): number {
  const special = (mode & 0o4000 ? GO.setuid : 0) + (mode & 0o2000 ? GO.setgid : 0) + (mode & 0o1000 ? GO.sticky : 0)
  return (TYPES.get(mode & constants.S_IFMT) ?? 0) + special + (mode & 0o777)
}
