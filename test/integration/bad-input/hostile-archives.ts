import type { TarEntry } from '../../harness/tar.ts'

/** What becomes of an archive: an error for its sender, or files that stay inside. */
export type Fate = 'refused' | 'taken'

export interface HostileArchive {
  name: string
  /** `canary`: absolute path of a directory that must not be touched. */
  entries: (canary: string) => TarEntry[]
  /** As a layer, and sent into a container. */
  layer: Fate
  put: Fate
}

const file = (name: string, members: Partial<TarEntry> = {}): TarEntry => ({ name, data: Buffer.from('x'), ...members })
const directory = (name: string): TarEntry => ({ name, type: 'directory', mode: 0o755 })
const symlink = (name: string, link: string): TarEntry => ({ name, type: 'symlink', link })
const hardlink = (name: string, link: string): TarEntry => ({ name, type: 'link', link })
const empty = (name: string, members: Partial<TarEntry> = {}): TarEntry => ({ name, ...members })

/** Up from anywhere in the data root to the machine's root. */
const UP = '../'.repeat(20)

const octal = (offset: number, length: number, value: number) => (header: Buffer) =>
  void header.write(`${value.toString(8).padStart(length - 1, '0')}\0`, offset)
/** GNU's base 256, two's complement. */
const base256 = (offset: number, length: number, value: bigint) => (header: Buffer) => {
  const bytes = BigInt.asUintN(length * 8 - 1, value)
  for (let i = 0; i < length; i++) header[offset + length - 1 - i] = Number((bytes >> BigInt(8 * i)) & 0xffn)
  header[offset]! |= 0x80
}
const device = (name: string, flag: '3' | '4', major: number, minor: number): TarEntry =>
  empty(name, { flag, edit: (header) => (octal(329, 8, major)(header), octal(337, 8, minor)(header)) })

const PATHS: HostileArchive[] = [
  { name: 'a name that climbs', entries: (canary) => [file(`${UP}${canary}/file`)], layer: 'refused', put: 'refused' },
  {
    name: 'a name that descends and climbs',
    entries: (canary) => [file(`a/b/../../${UP}${canary}/file`)],
    layer: 'refused',
    put: 'refused',
  },
  { name: 'an absolute name', entries: (canary) => [file(`${canary}/file`)], layer: 'taken', put: 'taken' },
  { name: 'a link out and a file through it', entries: (canary) => [symlink('l', canary), file('l/file')], layer: 'taken', put: 'refused' },
  {
    name: 'a relative link out and a file through it',
    entries: (canary) => [symlink('l', UP + canary), file('l/file')],
    layer: 'taken',
    put: 'refused',
  },
  {
    name: 'links that climb one after the other',
    entries: (canary) => [directory('a'), symlink('a/l', '..'), symlink('m', 'a/l/..'), symlink('n', `m/../..${canary}`), file('n/file')],
    layer: 'taken',
    put: 'refused',
  },
  { name: 'links that go round', entries: () => [symlink('a', 'b'), symlink('b', 'a'), file('a/x')], layer: 'refused', put: 'refused' },
  { name: 'a hard link that climbs', entries: (canary) => [hardlink('h', `${UP}${canary}/file`)], layer: 'refused', put: 'refused' },
  { name: 'an absolute hard link', entries: (canary) => [hardlink('h', `${canary}/file`)], layer: 'refused', put: 'refused' },
  {
    name: 'a hard link through a link',
    entries: (canary) => [symlink('l', canary), hardlink('h', 'l/file')],
    layer: 'refused',
    put: 'refused',
  },
  {
    name: 'a hard link to a link, and a file of its name',
    entries: (canary) => [symlink('l', `${canary}/file`), hardlink('h', 'l'), file('h')],
    layer: 'taken',
    put: 'taken',
  },
  { name: 'a hard link to a directory', entries: () => [directory('d'), hardlink('h', 'd')], layer: 'refused', put: 'refused' },
  { name: 'a hard link to itself', entries: () => [hardlink('h', 'h')], layer: 'refused', put: 'refused' },
  {
    name: 'a directory that becomes a link',
    entries: (canary) => [directory('d'), file('d/x'), symlink('d', canary), file('d/file')],
    layer: 'taken',
    put: 'refused',
  },
  { name: 'a file below a file', entries: () => [file('f'), file('f/x')], layer: 'refused', put: 'refused' },
  {
    name: 'a name that is too long for a file system',
    entries: () => [empty('n', { pax: { path: 'n'.repeat(300) } })],
    layer: 'refused',
    put: 'refused',
  },
  { name: 'a path that is too long', entries: () => [empty('n', { pax: { path: 'n/'.repeat(3000) } })], layer: 'refused', put: 'refused' },
  {
    name: 'a link to too long a path',
    entries: () => [empty('l', { flag: '2', pax: { linkpath: 'n/'.repeat(3000) } })],
    layer: 'refused',
    put: 'refused',
  },
  {
    name: 'two thousand directories in each other',
    entries: () => [empty('d', { flag: '5', pax: { path: 'd/'.repeat(2000) } })],
    layer: 'taken',
    put: 'taken',
  },
  { name: 'a NUL in a name', entries: () => [empty('n', { pax: { path: Buffer.from('a\0b') } })], layer: 'refused', put: 'refused' },
  { name: 'a newline in a name', entries: () => [empty('n', { pax: { path: 'a\nb' } })], layer: 'taken', put: 'taken' },
  {
    name: 'names that are not UTF-8',
    entries: () => [
      empty('d', { flag: '5', pax: { path: Buffer.from('d\xff/', 'latin1') } }),
      file('f', { pax: { path: Buffer.from('d\xff/\xfe', 'latin1') } }),
      empty('l', { flag: '2', pax: { path: 'l', linkpath: Buffer.from('\x80', 'latin1') } }),
    ],
    layer: 'taken',
    put: 'taken',
  },
]

const WHITEOUTS: HostileArchive[] = [
  { name: 'a whiteout of nothing', entries: () => [empty('.wh.')], layer: 'refused', put: 'taken' },
  { name: 'a whiteout of the directory', entries: () => [empty('a/.wh..')], layer: 'refused', put: 'taken' },
  { name: 'a whiteout of the directory above', entries: () => [empty('a/.wh...')], layer: 'refused', put: 'taken' },
  { name: 'a whiteout with a path behind it', entries: () => [empty('.wh./../x')], layer: 'taken', put: 'taken' },
  { name: 'an opaque marker that is a link', entries: (canary) => [symlink('d/.wh..wh..opq', canary)], layer: 'taken', put: 'taken' },
  {
    name: 'whiteouts that are directories and links',
    entries: () => [directory('.wh.a'), hardlink('.wh.b', '.wh.a')],
    layer: 'taken',
    put: 'refused',
  },
  {
    name: 'a device that is a whiteout for overlayfs',
    entries: () => [device('bin', '3', 0, 0), hardlink('usr', 'bin')],
    layer: 'taken',
    put: 'refused',
  },
]

const ATTRIBUTES: HostileArchive[] = [
  {
    name: "overlayfs's own attributes",
    entries: () => [
      empty('d', {
        flag: '5',
        mode: 0o755,
        pax: { 'SCHILY.xattr.trusted.overlay.redirect': '/etc', 'SCHILY.xattr.trusted.overlay.opaque': 'y' },
      }),
      file('f', { pax: { 'SCHILY.xattr.trusted.overlay.metacopy': '', 'SCHILY.xattr.trusted.overlay.redirect': '/etc/passwd' } }),
    ],
    layer: 'taken',
    put: 'taken',
  },
  {
    name: 'an attribute without a name',
    entries: () => [file('f', { pax: { 'SCHILY.xattr.': 'x' } })],
    layer: 'refused',
    put: 'refused',
  },
  {
    name: 'a NUL in the name of an attribute',
    entries: () => [file('f', { pax: { 'SCHILY.xattr.user.a\0b': 'x' } })],
    layer: 'refused',
    put: 'refused',
  },
  {
    name: 'an attribute that is too large',
    entries: () => [file('f', { pax: { 'SCHILY.xattr.user.a': 'x'.repeat(100_000) } })],
    layer: 'refused',
    put: 'refused',
  },
  { name: 'an owner below zero', entries: () => [file('f', { edit: base256(108, 8, -5n) })], layer: 'refused', put: 'refused' },
  {
    name: 'an owner that is nobody',
    entries: () => [file('f', { edit: base256(108, 8, 0xffff_ffffn) })],
    layer: 'refused',
    put: 'refused',
  },
  { name: 'an owner beyond all owners', entries: () => [file('f', { pax: { gid: '99999999999' } })], layer: 'refused', put: 'refused' },
  {
    name: 'times beyond all times',
    entries: () => [file('f', { edit: base256(136, 12, 2n ** 50n) }), file('g', { edit: base256(136, 12, -(2n ** 50n)) })],
    layer: 'taken',
    put: 'taken',
  },
  { name: 'all bits of a mode', entries: () => [file('f', { edit: octal(100, 8, 0o7777777) })], layer: 'taken', put: 'taken' },
  {
    name: 'devices and a fifo',
    entries: () => [device('null', '3', 1, 3), device('disk', '4', 8, 0), empty('pipe', { flag: '6' })],
    layer: 'taken',
    put: 'taken',
  },
  { name: 'a device of a number too large', entries: () => [device('d', '3', 4096, 0)], layer: 'refused', put: 'refused' },
  { name: 'a device below zero', entries: () => [empty('d', { flag: '4', edit: base256(329, 8, -1n) })], layer: 'refused', put: 'refused' },
]

const SIZES: HostileArchive[] = [
  { name: 'a size below zero', entries: () => [file('f', { edit: base256(124, 12, -512n) })], layer: 'refused', put: 'refused' },
  { name: 'a size beyond all sizes', entries: () => [file('f', { edit: base256(124, 12, 2n ** 80n) })], layer: 'refused', put: 'refused' },
  {
    name: 'a size that the archive does not have',
    entries: () => [file('f', { claimedSize: 0o77777777777 })],
    layer: 'refused',
    put: 'refused',
  },
  {
    name: 'an extended header of a gigabyte',
    entries: () => [empty('x', { flag: 'x', claimedSize: 2 ** 30 })],
    layer: 'refused',
    put: 'refused',
  },
  { name: 'a long name of a gigabyte', entries: () => [empty('x', { flag: 'L', claimedSize: 2 ** 30 })], layer: 'refused', put: 'refused' },
  {
    name: 'an extended header whose record lies about its length',
    entries: () => [empty('x', { flag: 'x', data: Buffer.from('99 path=a\n') }), file('f')],
    layer: 'refused',
    put: 'refused',
  },
  {
    name: 'a hole beyond all files',
    entries: () => [
      file('f', {
        data: Buffer.from('0\n'.padEnd(512, '\0')),
        pax: { 'GNU.sparse.major': '1', 'GNU.sparse.minor': '0', 'GNU.sparse.realsize': String(2 ** 53 - 1) },
      }),
    ],
    layer: 'refused',
    put: 'refused',
  },
  {
    name: 'stretches of a sparse file that overlap',
    entries: () => [
      file('f', {
        data: Buffer.from('2\n0\n4\n2\n4\n'.padEnd(520, '\0')),
        pax: { 'GNU.sparse.major': '1', 'GNU.sparse.minor': '0', 'GNU.sparse.realsize': '10' },
      }),
    ],
    layer: 'refused',
    put: 'refused',
  },
  {
    name: 'a sparse file with more stretches than can be',
    entries: () => [
      file('f', {
        data: Buffer.from('999999999\n'.padEnd(512, '\0')),
        pax: { 'GNU.sparse.major': '1', 'GNU.sparse.minor': '0', 'GNU.sparse.realsize': '10' },
      }),
    ],
    layer: 'refused',
    put: 'refused',
  },
  {
    name: 'names that come again and again as something else',
    entries: (canary) => [
      file('n'),
      directory('n'),
      file('n/x'),
      symlink('n', canary),
      device('n', '3', 1, 3),
      hardlink('m', 'n'),
      file('n'),
    ],
    layer: 'taken',
    put: 'taken',
  },
  {
    name: 'thousands of entries',
    entries: () => Array.from({ length: 3000 }, (_, index) => empty(`d/${index}`)),
    layer: 'taken',
    put: 'taken',
  },
]

export const HOSTILE_ARCHIVES: readonly HostileArchive[] = [...PATHS, ...WHITEOUTS, ...ATTRIBUTES, ...SIZES]
