/** An entry of a test archive; hostile ones are the point, so nothing is checked. */
export interface TarEntry {
  name: string
  type?: 'file' | 'directory' | 'symlink' | 'link'
  data?: Buffer
  link?: string
  mode?: number
  /** Size written into the header instead of the true one. */
  claimedSize?: number
  /** Type flag instead of the one that `type` has. */
  flag?: string
  /** Records of an extended header before this one. */
  pax?: Readonly<Record<string, string | Buffer>>
  /** Changes the header before its checksum is taken. */
  edit?: (header: Buffer) => void
}

const TYPE_FLAGS = { file: '0', link: '1', symlink: '2', directory: '5' } as const

/** A ustar archive (POSIX.1-1988, pax(1)) with its two closing blocks. Written apart from the engine's codec, so that one checks the other. */
export function tar(entries: readonly TarEntry[]): Buffer {
  const blocks = entries.flatMap((entry) => [...(entry.pax === undefined ? [] : encode(paxEntry(entry.pax))), ...encode(entry)])
  return Buffer.concat([...blocks, Buffer.alloc(1024)])
}

function encode(entry: TarEntry): Buffer[] {
  const { name, type = 'file', data = Buffer.alloc(0), link = '', mode = 0o644, claimedSize } = entry
  const header = Buffer.alloc(512)
  header.write(name, 0, 100)
  header.write(`${mode.toString(8).padStart(7, '0')}\0`, 100)
  header.write('0000000\0', 108)
  header.write('0000000\0', 116)
  header.write(`${(claimedSize ?? data.length).toString(8).padStart(11, '0')}\0`, 124)
  header.write('14524770400\0', 136)
  header.write('        ', 148)
  header.write(entry.flag ?? TYPE_FLAGS[type], 156)
  header.write(link, 157, 100)
  header.write('ustar\x0000', 257)
  entry.edit?.(header)
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return [header, data, Buffer.alloc((512 - (data.length % 512)) % 512)]
}

function paxEntry(records: Readonly<Record<string, string | Buffer>>): TarEntry {
  const parts = Object.entries(records).map(([key, value]) => {
    const text = Buffer.concat([Buffer.from(` ${key}=`), Buffer.from(value), Buffer.from('\n')])
    let length = text.length
    while (String(length).length + text.length !== length) length = String(length).length + text.length
    return Buffer.concat([Buffer.from(String(length)), text])
  })
  return { name: 'pax', flag: 'x', data: Buffer.concat(parts) }
}
