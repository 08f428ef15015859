/** A reader of tar archives, small and written apart from the engine's codec so that one checks the other. */

export interface ArchiveEntry {
  readonly path: string
  readonly type: string
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly link: string
  readonly body: Buffer
  /** `name=text` of each, in order. */
  readonly xattrs: string
}

/** All entries of an archive of good intent: ustar, PAX, GNU's long names. */
export function readEntries(archive: Buffer): ArchiveEntry[] {
  const entries: ArchiveEntry[] = []
  let pax = new Map<string, string>()
  for (let at = 0; at + 512 <= archive.length;) {
    const header = archive.subarray(at, at + 512)
    if (header.every((byte) => byte === 0)) break
    const size = Number(pax.get('size') ?? number(header, 124, 12))
    const body = archive.subarray(at + 512, at + 512 + size)
    at += 512 + Math.ceil(size / 512) * 512
    const type = String.fromCharCode(header[156] ?? 0)
    if (type === 'x') pax = new Map([...pax, ...records(body)])
    else if (type === 'L') pax.set('path', text(body, 0, body.length))
    else if (type === 'K') pax.set('linkpath', text(body, 0, body.length))
    else if (type !== 'g') {
      entries.push(entryOf(header, type, body, pax))
      pax = new Map()
    }
  }
  return entries
}

function entryOf(header: Buffer, type: string, body: Buffer, pax: ReadonlyMap<string, string>): ArchiveEntry {
  const prefix = text(header, 257, 6) === 'ustar' ? text(header, 345, 155) : ''
  const xattrs = [...pax]
    .filter(([key]) => key.startsWith('SCHILY.xattr.'))
    .map(([key, value]) => `${key.slice(13)}=${JSON.stringify(value)}`)
  return {
    path: pax.get('path') ?? (prefix === '' ? '' : `${prefix}/`) + text(header, 0, 100),
    type,
    mode: number(header, 100, 8),
    uid: Number(pax.get('uid') ?? number(header, 108, 8)),
    gid: Number(pax.get('gid') ?? number(header, 116, 8)),
    link: pax.get('linkpath') ?? text(header, 157, 100),
    body,
    xattrs: xattrs.sort().join(' '),
  }
}

/** Octal, or binary for large ones. */
function number(header: Buffer, offset: number, length: number): number {
  const field = header.subarray(offset, offset + length)
  if (((field[0] ?? 0) & 0x80) !== 0) return field.subarray(1).reduce((sum, byte) => sum * 256 + byte, (field[0] ?? 0) & 0x7f)
  return Number.parseInt(text(header, offset, length).trim() || '0', 8)
}

function text(block: Buffer, offset: number, length: number): string {
  const end = block.indexOf(0, offset)
  return block.toString('utf8', offset, end < 0 ? offset + length : Math.min(end, offset + length))
}

/** `12 path=value\n` … */
function records(body: Buffer): [string, string][] {
  const found: [string, string][] = []
  for (let at = 0; at < body.length;) {
    const length = Number.parseInt(body.toString('latin1', at, at + 10), 10)
    const record = body.toString('utf8', body.indexOf(' ', at) + 1, at + length - 1)
    found.push([record.slice(0, record.indexOf('=')), record.slice(record.indexOf('=') + 1)])
    at += length
  }
  return found
}
