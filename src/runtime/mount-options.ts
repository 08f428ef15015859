import { invalidArgument, notImplemented } from '#errors'

/** mount(2) flags. Source: linux/mount.h. */
export const MS = {
  rdonly: 1,
  nosuid: 2,
  nodev: 4,
  noexec: 8,
  synchronous: 16,
  mandlock: 64,
  dirsync: 128,
  nosymfollow: 256,
  noatime: 1024,
  nodiratime: 2048,
  bind: 0x1000,
  rec: 0x4000,
  silent: 0x8000,
  unbindable: 0x20000,
  private: 0x40000,
  slave: 0x80000,
  shared: 0x100000,
  relatime: 0x200000,
  iversion: 0x800000,
  strictatime: 0x1000000,
  lazytime: 0x2000000,
} as const

/** mount_setattr(2) attributes. Source: linux/mount.h. */
export const ATTR = {
  rdonly: 1,
  nosuid: 2,
  nodev: 4,
  noexec: 8,
  atimeMask: 0x70,
  noatime: 0x10,
  strictatime: 0x20,
  nodiratime: 0x80,
  nosymfollow: 0x200000,
} as const

/** Options of one mount, sorted by who consumes them. */
export interface MountOptions {
  bind: boolean
  /** rbind */
  recursive: boolean
  /** MS flags for a new file system. */
  flags: number
  /** ATTR bits set and cleared on a bind. */
  set: number
  clear: number
  /** One of rro, rnosuid …: the attributes apply to the whole tree. */
  recursiveAttributes: boolean
  /** MS propagation, with MS.rec for the r-forms; 0: none given. */
  propagation: number
  /** What is left for the file system itself, comma-separated. */
  data: string
}

/** A word that sets or clears a flag, with the attribute that does the same on a bind. */
interface Flag {
  flag: number
  attr?: number
  clear?: boolean
  /** One of the modes that exclude each other. */
  atime?: boolean
}

const FLAG_WORDS: Record<string, Flag> = {
  ro: { flag: MS.rdonly, attr: ATTR.rdonly },
  rw: { flag: MS.rdonly, attr: ATTR.rdonly, clear: true },
  nosuid: { flag: MS.nosuid, attr: ATTR.nosuid },
  suid: { flag: MS.nosuid, attr: ATTR.nosuid, clear: true },
  nodev: { flag: MS.nodev, attr: ATTR.nodev },
  dev: { flag: MS.nodev, attr: ATTR.nodev, clear: true },
  noexec: { flag: MS.noexec, attr: ATTR.noexec },
  exec: { flag: MS.noexec, attr: ATTR.noexec, clear: true },
  nosymfollow: { flag: MS.nosymfollow, attr: ATTR.nosymfollow },
  symfollow: { flag: MS.nosymfollow, attr: ATTR.nosymfollow, clear: true },
  nodiratime: { flag: MS.nodiratime, attr: ATTR.nodiratime },
  diratime: { flag: MS.nodiratime, attr: ATTR.nodiratime, clear: true },
  noatime: { flag: MS.noatime, attr: ATTR.noatime, atime: true },
  atime: { flag: MS.noatime, attr: 0, clear: true, atime: true },
  relatime: { flag: MS.relatime, attr: 0, atime: true },
  norelatime: { flag: MS.relatime, attr: 0, clear: true },
  strictatime: { flag: MS.strictatime, attr: ATTR.strictatime, atime: true },
  nostrictatime: { flag: MS.strictatime, attr: 0, clear: true },
  sync: { flag: MS.synchronous },
  async: { flag: MS.synchronous, clear: true },
  dirsync: { flag: MS.dirsync },
  mand: { flag: MS.mandlock },
  nomand: { flag: MS.mandlock, clear: true },
  iversion: { flag: MS.iversion },
  noiversion: { flag: MS.iversion, clear: true },
  lazytime: { flag: MS.lazytime },
  nolazytime: { flag: MS.lazytime, clear: true },
  silent: { flag: MS.silent },
  loud: { flag: MS.silent, clear: true },
}

const FLAGS = new Map(Object.entries(FLAG_WORDS))

const PROPAGATION_WORDS: Record<string, number> = {
  private: MS.private,
  shared: MS.shared,
  slave: MS.slave,
  unbindable: MS.unbindable,
  rprivate: MS.private | MS.rec,
  rshared: MS.shared | MS.rec,
  rslave: MS.slave | MS.rec,
  runbindable: MS.unbindable | MS.rec,
}

const PROPAGATION = new Map(Object.entries(PROPAGATION_WORDS))

/** Recursive attributes of the OCI specification, config.md "Linux mount options": `r` before the plain word. */
const RECURSIVE = new Set(
  'rro rrw rnosuid rsuid rnodev rdev rnoexec rexec rnosymfollow rsymfollow rnoatime ratime rrelatime rstrictatime rnodiratime rdiratime'.split(
    ' ',
  ),
)

/** Options of the specification that need support this runtime does not have. */
const UNSUPPORTED = new Set(['idmap', 'ridmap', 'tmpcopyup', 'remount'])

/**
 * Parses options as mount(8) spells them. What is none of its words is data for the file system. On a bind, a plain clearing option
 * (`rw`, `exec`) leaves the source's restriction in force, as a bind without remount does. Throws NOT_IMPLEMENTED for `idmap` and
 * `tmpcopyup`, INVALID_ARGUMENT for file system data on a bind.
 */
export function parseMountOptions(options: readonly string[], target: string): MountOptions {
  const result: MountOptions = {
    bind: false,
    recursive: false,
    flags: 0,
    set: 0,
    clear: 0,
    recursiveAttributes: false,
    propagation: 0,
    data: '',
  }
  const data: string[] = []
  for (const option of options) {
    if (option === 'bind' || option === 'rbind') {
      result.bind = true
      result.recursive ||= option === 'rbind'
      continue
    }
    const recursive = RECURSIVE.has(option)
    const flag = FLAGS.get(recursive ? option.slice(1) : option)
    const propagation = PROPAGATION.get(option)
    if (propagation !== undefined) result.propagation = propagation
    else if (flag !== undefined) applyFlag(result, flag, recursive)
    else if (UNSUPPORTED.has(option)) throw notImplemented(`mount option ${option} (on ${target}) is not implemented`)
    else if (option !== 'defaults' && option !== '') data.push(option)
  }
  if (result.bind && data.length > 0) throw invalidArgument(`invalid mount options for ${target}: ${data.join(',')} on a bind mount`)
  result.data = data.join(',')
  return result
}

function applyFlag(result: MountOptions, { flag, attr, clear, atime }: Flag, recursive: boolean): void {
  result.flags = clear ? result.flags & ~flag : result.flags | flag
  if (recursive) result.recursiveAttributes = true
  if (attr === undefined) return
  if (atime) {
    // The three modes exclude each other: the mask is cleared whenever one is set (mount_setattr(2)).
    result.set = (result.set & ~ATTR.atimeMask) | attr
    result.clear |= ATTR.atimeMask
  } else if (clear) {
    result.set &= ~attr
    if (recursive) result.clear |= attr
  } else {
    result.set |= attr
    result.clear &= ~attr
  }
}
