import { constants } from 'node:fs'

/** Bits of Go's os.FileMode above the permissions, as Docker's clients and BuildKit send them. Source: Go's documentation of io/fs. */
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

const TYPES: readonly (readonly [posix: number, go: number])[] = [
  [constants.S_IFDIR, GO.directory],
  [constants.S_IFLNK, GO.symlink],
  [constants.S_IFBLK, GO.device],
  [constants.S_IFCHR, GO.device + GO.charDevice],
  [constants.S_IFIFO, GO.namedPipe],
  [constants.S_IFSOCK, GO.socket],
]

const SPECIAL: readonly (readonly [posix: number, go: number])[] = [
  [0o4000, GO.setuid],
  [0o2000, GO.setgid],
  [0o1000, GO.sticky],
]

const TYPE_BITS = GO.directory + GO.symlink + GO.device + GO.charDevice + GO.namedPipe + GO.socket

/** From st_mode of stat(2). */
export function goFileMode(mode: number): number {
  const type = TYPES.find(([posix]) => posix === (mode & constants.S_IFMT))?.[1] ?? 0
  return type + SPECIAL.reduce((sum, [posix, go]) => sum + (mode & posix ? go : 0), 0) + (mode & 0o777)
}

/** To st_mode. What Go calls no type at all is a regular file; undefined for types that Linux does not have. */
export function posixFileMode(mode: number): number | undefined {
  // Not with `&`: the highest bit would make the result negative.
  const wanted = (mode & TYPE_BITS) >>> 0
  const type = wanted === 0 ? constants.S_IFREG : TYPES.find(([, go]) => go === wanted)?.[0]
  if (type === undefined) return undefined
  return type + SPECIAL.reduce((sum, [posix, go]) => sum + (mode & go ? posix : 0), 0) + (mode & 0o777)
}
