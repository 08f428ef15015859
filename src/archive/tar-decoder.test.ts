import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  closeSync,
  ftruncateSync,
  linkSync,
  mkdirSync,
  mkdtempDisposableSync,
  openSync,
  readFileSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { encodePax } from './pax.ts'
import { createTarDecoder } from './tar-decoder.ts'
import { encodeEntry, END_OF_ARCHIVE } from './tar-encoder.ts'
import { checksum } from './tar-block.ts'
import type { TarEntry } from './types.ts'
import { tarEntry } from './write-tar.ts'

/** An entry with all its data. */
interface Decoded {
  entry: TarEntry
  data: Buffer
}

/** Decodes an archive that arrives in pieces of `step` bytes; holes are filled in. */
function decode(archive: Buffer, step: number = archive.length): Decoded[] {
  const decoder = createTarDecoder()
  const decoded: Decoded[] = []
  for (let position = 0; position < archive.length; position += step) {
    for (const event of decoder.push(archive.subarray(position, position + step))) {
      if (event.kind === 'entry') decoded.push({ entry: event.entry, data: Buffer.alloc(Math.min(event.entry.size, 1 << 25)) })
      else if (event.kind === 'data') event.bytes.copy(decoded.at(-1)!.data, event.offset)
    }
  }
  decoder.finish()
  return decoded
}

/** A header block with fields overwritten and the checksum made right again. */
function forge(entry: TarEntry, fields: Record<number, string | Buffer>): Buffer {
  const block = Buffer.from(encodeEntry(entry).header)
  for (const [offset, value] of Object.entries(fields)) Buffer.from(value).copy(block, Number(offset))
  block.write('        ', 148, 'latin1')
  block.write(`${checksum(block).toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return block
}

const LONG = `${'d'.repeat(120)}/${'n'.repeat(140)}`
const HOLE_END = 3 * 1024 * 1024

/** A directory with one of everything that needs no privileges. */
function makeTree(root: string): void {
  mkdirSync(join(root, 'd'.repeat(120)))
  writeFileSync(join(root, LONG), 'long name')
  writeFileSync(join(root, 'file'), 'content')
  writeFileSync(join(root, 'ünï'), 'utf-8')
  writeFileSync(Buffer.concat([Buffer.from(`${root}/bad`), Buffer.of(0xff)]), 'bytes')
  linkSync(join(root, 'file'), join(root, 'hard'))
  symlinkSync('l'.repeat(150), join(root, 'soft'))
  const fd = openSync(join(root, 'sparse'), 'w')
  writeSync(fd, 'start', 0)
  writeSync(fd, 'middle', 1024 * 1024)
  ftruncateSync(fd, HOLE_END)
  closeSync(fd)
  utimesSync(join(root, 'file'), 1, 981173106.5)
}

const FORMATS: [name: string, options: string[], isSparse: boolean][] = [
  ['GNU', ['--format=gnu'], false],
  ['GNU sparse', ['--format=gnu', '--sparse'], true],
  ['PAX', ['--format=posix'], false],
  ['PAX sparse 0.0', ['--format=posix', '--sparse', '--sparse-version=0.0'], true],
  ['PAX sparse 0.1', ['--format=posix', '--sparse', '--sparse-version=0.1'], true],
  ['PAX sparse 1.0', ['--format=posix', '--sparse', '--sparse-version=1.0'], true],
]

describe('createTarDecoder', () => {
  for (const [name, options, isSparse] of FORMATS) {
    it(`reads what GNU tar writes as ${name}`, () => {
      using directory = mkdtempDisposableSync(join(tmpdir(), 'tar-'))
      makeTree(directory.path)
      const tar = spawnSync('tar', ['--create', ...options, '--sort=name', '-C', directory.path, '.'], { maxBuffer: 1 << 26 })
      assert.equal(tar.status, 0, tar.stderr.toString())
      const decoded = new Map(decode(tar.stdout).map((item) => [item.entry.path, item]))
      assert.equal(decoded.get('./file')?.data.toString(), 'content')
      assert.equal(decoded.get('./file')?.entry.mtime, name.startsWith('PAX') ? 981173106_500_000_000n : 981173106_000_000_000n)
      assert.equal(decoded.get(`./${LONG}`)?.data.toString(), 'long name')
      assert.equal(decoded.get('./ünï')?.data.toString(), 'utf-8')
      assert.equal(decoded.get('./bad\udcff')?.data.toString(), 'bytes')
      assert.deepEqual([decoded.get('./hard')?.entry.type, decoded.get('./hard')?.entry.linkPath], ['hardlink', './file'])
      assert.equal(decoded.get('./soft')?.entry.linkPath, 'l'.repeat(150))
      assert.equal(decoded.get('./')?.entry.type, 'directory')
      const sparse = decoded.get('./sparse')!
      assert.equal(sparse.entry.sparse !== undefined, isSparse)
      assert.deepEqual(sparse.data, readFileSync(join(directory.path, 'sparse')))
    })
  }

  it('gives the same events however the bytes are cut', () => {
    const entries = [
      tarEntry({ path: 'a', size: 700 }),
      tarEntry({ path: 'x'.repeat(300), size: 3, mtime: 5n }),
      tarEntry({ path: 's', size: 5000, sparse: [{ offset: 100, length: 10 }] }),
    ]
    const parts = entries.flatMap((entry, index) => {
      const { header, padding } = encodeEntry(entry)
      return [header, Buffer.alloc(entry.sparse ? 10 : entry.size, 65 + index), Buffer.alloc(padding)]
    })
    const archive = Buffer.concat([...parts, END_OF_ARCHIVE])
    const whole = decode(archive)
    assert.deepEqual(
      whole.map(({ entry }) => entry),
      entries,
    )
    for (const step of [1, 7, 511, 512, 513, 4096]) assert.deepEqual(decode(archive, step), whole)
  })

  it('reads sizes over 8 GiB and negative times in base 256', () => {
    const size = Buffer.alloc(12)
    size[0] = 0x80
    size.writeBigUInt64BE(20n * 1024n ** 3n, 4)
    const decoder = createTarDecoder()
    const [event] = decoder.push(forge(tarEntry({ path: 'big' }), { 124: size, 136: Buffer.alloc(12, 0xff) }))
    assert.ok(event?.kind === 'entry')
    assert.equal(event.entry.size, 20 * 1024 ** 3)
    assert.equal(event.entry.mtime, -1_000_000_000n)
    assert.throws(() => decoder.finish(), { code: 'INVALID_ARGUMENT', message: 'unexpected EOF' })
  })

  it('refuses owners that chown(2) takes for none', () => {
    for (const [offset, value] of [
      [108, -1n],
      [116, 0xffff_ffffn],
      [108, 1n << 40n],
    ] as const) {
      const id = Buffer.alloc(8)
      id.writeBigInt64BE(value & 0x7fff_ffff_ffff_ffffn)
      id[0]! |= 0x80
      const header = forge(tarEntry({ path: 'f' }), { [offset]: id })
      assert.throws(() => [...createTarDecoder().push(header)], { code: 'INVALID_ARGUMENT', message: /owner .* out of range/ })
    }
  })

  it('finish refuses an archive cut anywhere but between entries and in the padding of one', () => {
    const { header, padding } = encodeEntry(tarEntry({ path: 'a', size: 10, mtime: 1n }))
    const isPadding = (length: number): boolean => length % entry.length >= header.length + 10
    const entry = Buffer.concat([header, Buffer.alloc(10 + padding)])
    const archive = Buffer.concat([entry, entry, END_OF_ARCHIVE])
    for (let length = 0; length <= archive.length; length += 64) {
      const isBoundary =
        isPadding(length) || [0, entry.length, 2 * entry.length].includes(length) || [512, 1024].includes(length - 2 * entry.length)
      const cut = (): unknown => decode(archive.subarray(0, length), 64)
      if (isBoundary) assert.doesNotThrow(cut, `at ${length}`)
      else assert.throws(cut, { message: 'unexpected EOF' }, `at ${length}`)
    }
  })

  it('ignores what follows the end of the archive', () => {
    const decoder = createTarDecoder()
    assert.deepEqual([...decoder.push(Buffer.concat([END_OF_ARCHIVE, Buffer.from('garbage')]))], [])
    assert.equal(decoder.ended, true)
  })

  const record = (key: string, value: string): string => encodePax([[key, value]]).toString()
  const pax = (records: string): Buffer => {
    const header = forge(tarEntry({ path: 'pax', size: records.length }), { 156: 'x' })
    return Buffer.concat([
      header,
      Buffer.from(records),
      Buffer.alloc((512 - (records.length % 512)) % 512),
      encodeEntry(tarEntry({ path: 'f' })).header,
    ])
  }

  const HOSTILE: [name: string, archive: Buffer, message: RegExp][] = [
    ['a wrong checksum', Buffer.alloc(512, 'x'), /invalid tar header/],
    ['a size that is no number', forge(tarEntry({ path: 'a' }), { 124: 'zzz' }), /size is not a number/],
    ['a negative size', forge(tarEntry({ path: 'a' }), { 124: Buffer.alloc(12, 0xff) }), /negative size/],
    ['an unknown type', forge(tarEntry({ path: 'a' }), { 156: 'Z' }), /unhandled tar header type "Z"/],
    [
      'a PAX header larger than the limit',
      forge(tarEntry({ path: 'a', size: 1024 ** 3 }), { 156: 'x' }),
      /extended header of 1073741824 bytes/,
    ],
    [
      'a long name larger than the limit',
      forge(tarEntry({ path: 'a', size: 1024 ** 3 }), { 156: 'L' }),
      /extended header of 1073741824 bytes/,
    ],
    ['a PAX record that claims to be longer than the header', pax('99 path=abc\n'), /malformed PAX record/],
    ['a PAX record that claims to be shorter than it is', pax('5 path=abc\n'), /malformed PAX record/],
    ['a PAX record without a value', pax('9 pathabc\n'), /malformed PAX record/],
    ['a PAX size that is no number', pax(record('size', '-1')), /PAX size is not a number/],
    ['a PAX time that is no time', pax(record('mtime', '1e3')), /malformed PAX time/],
    ['a NUL in a name', pax(record('path', 'ab\0cd')), /NUL in a file name/],
    ['a name that is too long', pax(record('path', 'x'.repeat(5000))), /file name too long/],
    ['a sparse map that overlaps', pax(record('GNU.sparse.map', '0,10,5,10') + record('GNU.sparse.size', '20')), /does not fit/],
    ['a sparse map beyond the end', pax(record('GNU.sparse.map', '100,0') + record('GNU.sparse.size', '20')), /does not fit the file/],
    ['an odd sparse map', pax(record('GNU.sparse.map', '0,1,2')), /malformed sparse map/],
    ['an unknown sparse version', pax(record('GNU.sparse.major', '9')), /sparse format 9/],
    ['an extended header at the end', Buffer.concat([pax('').subarray(0, 512), END_OF_ARCHIVE]), /extended header without a file/],
    [
      'data after one block of zeros',
      Buffer.concat([Buffer.alloc(512), encodeEntry(tarEntry({ path: 'a' })).header]),
      /data after the end/,
    ],
  ]
  for (const [name, archive, message] of HOSTILE) {
    it(`refuses ${name}`, () => {
      assert.throws(() => decode(archive), { code: 'INVALID_ARGUMENT', message })
    })
  }

  it('survives any single byte being changed', () => {
    const { header, padding } = encodeEntry(tarEntry({ path: 'x'.repeat(200), size: 10, xattrs: new Map([['user.a', Buffer.from('b')]]) }))
    const archive = Buffer.concat([header, Buffer.alloc(10 + padding), END_OF_ARCHIVE])
    for (let position = 0; position < archive.length; position++) {
      const damaged = Buffer.from(archive)
      damaged[position] = (damaged[position] ?? 0) ^ 0x55
      try {
        decode(damaged, 512)
      } catch (error) {
        assert.equal((error as { code?: string }).code, 'INVALID_ARGUMENT', `at ${position}: ${String(error)}`)
      }
    }
  })

  it('keeps one PAX header at a time, and what a GNU header says before it', () => {
    const pax = (name: string): Buffer => {
      const { header } = encodeEntry(tarEntry({ path: 'f', xattrs: new Map([[name, Buffer.alloc(1000, name)]]) }))
      return header.subarray(0, -512)
    }
    const archive = Buffer.concat([pax('user.a'), pax('user.b'), encodeEntry(tarEntry({ path: 'f' })).header, END_OF_ARCHIVE])
    const [file] = decode(archive)
    assert.deepEqual([...file!.entry.xattrs.keys()], ['user.b'])
  })

  it('refuses a list of extents that is too long without running out of stack', () => {
    const pax = encodePax([['GNU.sparse.map', Array(400_000).fill('1').join(',')]])
    const header = forge(tarEntry({ path: 'x', size: pax.length }), { 156: 'x' })
    const archive = Buffer.concat([
      header,
      pax,
      Buffer.alloc((512 - (pax.length % 512)) % 512),
      encodeEntry(tarEntry({ path: 'f' })).header,
    ])
    assert.throws(() => decode(archive), { code: 'INVALID_ARGUMENT', message: /sparse extents, at most/ })
  })

  it('takes an extended header byte by byte in reasonable time', () => {
    const value = Buffer.alloc(200_000, 'v')
    const archive = Buffer.concat([encodeEntry(tarEntry({ path: 'f', xattrs: new Map([['user.a', value]]) })).header, END_OF_ARCHIVE])
    const started = performance.now()
    assert.equal(decode(archive, 1)[0]?.entry.xattrs.get('user.a')?.equals(value), true)
    assert.ok(performance.now() - started < 20_000) // 0.1 s; many times that when the pieces are joined one by one
  })
})
