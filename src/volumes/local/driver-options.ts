/** Options of the local driver: `type`, `device` and `o`, what mount(8) would be given. Source: moby daemon/volume/local/local_unix.go. */

import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { invalidArgument } from '#errors'
import { parseRamBytes } from '#lib'
import { parseIdMap } from '../id-map.ts'

/** Each needs the others beside it. */
const REQUIRED: Record<string, readonly string[]> = { device: ['type'], type: ['device'], o: ['device', 'type'] }

/** `idmap` is our own: owners as containers see them. */
const KNOWN = new Set(['type', 'o', 'device', 'size', 'idmap'])

/** Throws INVALID_ARGUMENT with Docker's texts. A size is refused as Docker does on a file system without project quotas. */
export function verifyDriverOptions(name: string, options: Record<string, string>): void {
  const invalid = (why: string): Error => invalidArgument(`create ${name}: ${why}`)
  for (const option of Object.keys(options)) if (!KNOWN.has(option)) throw invalid(`invalid option: ${JSON.stringify(option)}`)
  const { type = '', device = '', size, idmap } = options
  if (type === 'cifs' && /^[a-z]*:?\/\/[^/]*:\d+(\/|$)/.test(device))
    throw invalid("port not allowed in CIFS device URL, include 'port' in 'o='")
  if (size !== undefined && sizeOf(size, invalid) > 0) throw invalid('quota size requested but no quota support')
  if (idmap !== undefined) parseIdMap(idmap)
  for (const [option, others] of Object.entries(REQUIRED)) {
    const missing = options[option] === undefined ? undefined : others.find((other) => options[other] === undefined)
    if (missing !== undefined) throw invalid(`missing required option: ${JSON.stringify(missing)}`)
  }
}

function sizeOf(text: string, invalid: (why: string) => Error): number {
  try {
    return parseRamBytes(text)
  } catch {
    throw invalid(`invalid size: '${text}'`)
  }
}

/** Whether there is something to mount. */
export function needsMount(options: Record<string, string>): boolean {
  return (options['device'] ?? '') !== '' || (options['type'] ?? '') !== ''
}

// include/uapi/linux/mount.h
const MS_RDONLY = 0x1
const MS_REMOUNT = 0x20
const MS_BIND = 0x1000
const MS_REC = 0x4000
const MS_UNBINDABLE = 1 << 17
const MS_PRIVATE = 1 << 18
const MS_SLAVE = 1 << 19
const MS_SHARED = 1 << 20

/** Option words of mount(8) that are flags; the negative ones take the flag away. */
const FLAGS: Record<string, { flag: number; clear?: true }> = {
  ro: { flag: MS_RDONLY },
  rw: { flag: MS_RDONLY, clear: true },
  nosuid: { flag: 0x2 },
  suid: { flag: 0x2, clear: true },
  nodev: { flag: 0x4 },
  dev: { flag: 0x4, clear: true },
  noexec: { flag: 0x8 },
  exec: { flag: 0x8, clear: true },
  sync: { flag: 0x10 },
  async: { flag: 0x10, clear: true },
  mand: { flag: 0x40 },
  nomand: { flag: 0x40, clear: true },
  dirsync: { flag: 0x80 },
  noatime: { flag: 0x400 },
  atime: { flag: 0x400, clear: true },
  nodiratime: { flag: 0x800 },
  diratime: { flag: 0x800, clear: true },
  relatime: { flag: 1 << 21 },
  norelatime: { flag: 1 << 21, clear: true },
  strictatime: { flag: 1 << 24 },
  nostrictatime: { flag: 1 << 24, clear: true },
  bind: { flag: MS_BIND },
  rbind: { flag: MS_BIND | MS_REC },
  defaults: { flag: 0 },
}

const PROPAGATION: Record<string, number> = {
  private: MS_PRIVATE,
  rprivate: MS_PRIVATE | MS_REC,
  slave: MS_SLAVE,
  rslave: MS_SLAVE | MS_REC,
  shared: MS_SHARED,
  rshared: MS_SHARED | MS_REC,
  unbindable: MS_UNBINDABLE,
  runbindable: MS_UNBINDABLE | MS_REC,
}

/** One mount(2) call, its target left out. */
export interface MountCall {
  source: string
  type: string
  flags: number
  data: string
}

/**
 * The calls that make the mount, in order: the mount itself, a remount where a bind has further flags (a bind ignores them at first), and one
 * per propagation word. Words that are no flags are the file system's own (`size=10m`, `addr=…`).
 */
export function mountCalls(options: Record<string, string>): MountCall[] {
  const { type = '', device = '', o = '' } = options
  let flags = 0
  const propagation: number[] = []
  const data: string[] = []
  for (const word of o.split(',').filter(Boolean)) {
    const known = FLAGS[word]
    if (known !== undefined) flags = known.clear === true ? flags & ~known.flag : flags | known.flag
    else if (PROPAGATION[word] !== undefined) propagation.push(PROPAGATION[word])
    else data.push(word)
  }
  const bind = flags & (MS_BIND | MS_REC)
  const calls: MountCall[] = [{ source: device, type, flags: bind === 0 ? flags : bind, data: data.join(',') }]
  if (bind !== 0 && flags !== bind) calls.push({ source: '', type: '', flags: (flags & ~MS_REC) | MS_REMOUNT, data: '' })
  for (const flag of propagation) calls.push({ source: '', type: '', flags: flag, data: '' })
  return calls
}

/**
 * The kernel wants addresses: the name in `addr=` of a network file system is looked up, and without one the server's in a CIFS device
 * (`//server/share`).
 */
export async function resolveAddress(options: Record<string, string>): Promise<Record<string, string>> {
  const { type = '', device = '', o = '' } = options
  if (!['nfs', 'nfs4', 'cifs'].includes(type)) return options
  const name = /(?:^|,)addr=([^,]*)/.exec(o)?.[1] ?? ''
  if (name !== '') return isIP(name) !== 0 ? options : { ...options, o: o.replace(`addr=${name}`, `addr=${await addressOf(name)}`) }
  const [, server = ''] = (type === 'cifs' && /^[a-z]*:?\/\/([^/]+)/.exec(device)) || []
  return server === '' || isIP(server) !== 0 ? options : { ...options, device: device.replace(server, await addressOf(server)) }
}

async function addressOf(name: string): Promise<string> {
  try {
    return (await lookup(name)).address
  } catch (error) {
    throw new Error(`error resolving passed in network volume address: lookup ${name}: no such host`, { cause: error })
  }
}
