import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { test, type TestContext } from 'node:test'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { readTar, tarEntry, writeTar, type TarEntry, type WritableEntry } from '#archive'
import { createFiles } from '#kernel'
import type { Container } from '../types.ts'
import type { ContainerRoot } from './container-root.ts'
import { statPath } from './path-stat.ts'
import { readArchive } from './read-archive.ts'
import { writeArchive } from './write-archive.ts'

const files = createFiles()
const DIRECTORY = 2 ** 31
const SYMLINK = 1 << 27

/** A directory that plays the container's root, beside a file that stands for the host's. */
function makeRoot(t: TestContext): { root: ContainerRoot; path: string; outside: string } {
  const base = mkdtempSync(join(tmpdir(), 'gantry-archive-'))
  const path = join(base, 'root')
  const outside = join(base, 'outside')
  mkdirSync(path)
  mkdirSync(outside)
  writeFileSync(join(outside, 'secret'), 'secret')
  const root = files.openRoot(path)
  t.after(() => {
    root[Symbol.dispose]()
    rmSync(base, { recursive: true, force: true })
  })
  return { root, path, outside }
}

const target = (path: string) => ({ ref: 'web', path })

async function unpack(tar: Readable): Promise<{ entry: TarEntry; data: string }[]> {
  const entries: { entry: TarEntry; data: string }[] = []
  for await (const { entry, body } of readTar(tar as AsyncIterable<Buffer>)) {
    const pieces: Buffer[] = []
    for await (const piece of body) pieces.push(Buffer.from(piece))
    entries.push({ entry, data: Buffer.concat(pieces).toString() })
  }
  return entries
}

async function namesIn(root: ContainerRoot, path: string): Promise<string[]> {
  return (await unpack(readArchive(files, root, target(path), plain).tar)).map(({ entry }) => entry.path)
}

const me = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }

/** An entry owned by whoever runs the test, as others need root. */
function item(path: string, members: Partial<TarEntry> = {}, data = ''): WritableEntry {
  const body = Buffer.from(data)
  return { entry: tarEntry({ path, ...me, size: body.length, mtime: 1_700_000_000_123_456_789n, ...members }), body: [body] }
}

const plain = { mounts: [], hostConfig: { readonlyRootfs: false, tmpfs: {} } } as unknown as Container

interface PutOptions {
  container?: Container
  noOverwriteDirNonDir?: boolean
  encode?: (tar: Buffer) => Buffer
}

async function put(root: ContainerRoot, path: string, items: WritableEntry[], options: PutOptions = {}): Promise<void> {
  const chunks: Buffer[] = []
  for await (const chunk of writeTar(items)) chunks.push(chunk)
  const tar = options.encode?.(Buffer.concat(chunks)) ?? Buffer.concat(chunks)
  const unpackOptions = { noOverwriteDirNonDir: options.noOverwriteDirNonDir ?? false, owner: undefined }
  await writeArchive(files, root, target(path), options.container ?? plain, Readable.from([tar], { objectMode: false }), unpackOptions)
}

test('statPath tells name, size, Go mode and time', (t) => {
  const { root, path } = makeRoot(t)
  mkdirSync(join(path, 'dir'))
  chmodSync(join(path, 'dir'), 0o1777)
  writeFileSync(join(path, 'dir/file'), 'hello')
  chmodSync(join(path, 'dir/file'), 0o4755)
  utimesSync(join(path, 'dir/file'), 1, 1.5)
  assert.deepEqual(statPath(files, root, target('/dir/file')), {
    name: 'file',
    size: 5,
    mode: (1 << 23) + 0o755,
    mtime: '1970-01-01T00:00:01.5Z',
    linkTarget: '',
  })
  assert.equal(statPath(files, root, target('dir')).mode, DIRECTORY + (1 << 20) + 0o777)
  assert.equal(statPath(files, root, target('/dir/../dir//')).name, 'dir')
  assert.equal(statPath(files, root, target('/')).name, '/')
})

test('statPath resolves link targets inside the root', (t) => {
  const { root, path, outside } = makeRoot(t)
  mkdirSync(join(path, 'real/sub'), { recursive: true })
  symlinkSync('/real', join(path, 'abs'))
  symlinkSync('abs/sub/../../real/sub', join(path, 'relative'))
  symlinkSync(`../../..${outside}/secret`, join(path, 'escape'))
  symlinkSync('/gone/file', join(path, 'dangling'))
  symlinkSync('loop', join(path, 'loop'))
  const link = (name: string) => statPath(files, root, target(name)).linkTarget
  assert.equal(statPath(files, root, target('/abs')).mode, SYMLINK + 0o777)
  assert.equal(link('/abs'), '/real')
  assert.equal(link('/relative'), '/real/sub')
  assert.equal(link('/escape'), `${outside}/secret`)
  assert.equal(link('/dangling'), '/gone/file')
  assert.match(link('/loop'), /^\/loop/)
  // A slash after it: the link is followed.
  assert.equal(statPath(files, root, target('/abs/')).mode >= DIRECTORY, true)
  assert.throws(() => statPath(files, root, target('/escape/')), { code: 'NOT_FOUND' })
})

test("statPath fails with Docker's texts", (t) => {
  const { root, path } = makeRoot(t)
  writeFileSync(join(path, 'file'), '')
  assert.throws(() => statPath(files, root, target('/gone')), {
    code: 'NOT_FOUND',
    message: 'Could not find the file /gone in container web',
  })
  assert.throws(() => statPath(files, root, target('/file/')), { code: 'INVALID_ARGUMENT', message: 'lstat /file/: not a directory' })
})

test('readArchive names entries after the path asked for', async (t) => {
  const { root, path } = makeRoot(t)
  mkdirSync(join(path, 'a/b'), { recursive: true })
  writeFileSync(join(path, 'a/b/c'), '1')
  symlinkSync('a', join(path, 'link'))
  assert.deepEqual(await namesIn(root, '/a'), ['a/', 'a/b/', 'a/b/c'])
  assert.deepEqual(await namesIn(root, '/link/'), ['link/', 'link/b/', 'link/b/c'])
  assert.deepEqual(await namesIn(root, '/a/.'), ['./', './b/', './b/c'])
  assert.deepEqual(await namesIn(root, '/link'), ['link'])
  assert.deepEqual(await namesIn(root, '/a/b/c'), ['c'])
  assert.deepEqual(await namesIn(root, '/'), ['/', '/a/', '/a/b/', '/a/b/c', '/link'])
})

test('readArchive keeps content and metadata, hard links, and names that are not UTF-8', async (t) => {
  const { root, path } = makeRoot(t)
  const big = 'x'.repeat(3 * 1024 * 1024 + 17)
  writeFileSync(join(path, 'big'), big)
  chmodSync(join(path, 'big'), 0o640)
  utimesSync(join(path, 'big'), 5, 1000.75)
  linkSync(join(path, 'big'), join(path, 'same'))
  symlinkSync('/etc/passwd', join(path, 'sym'))
  execFileSync('mkfifo', [join(path, 'pipe')])
  writeFileSync(Buffer.concat([Buffer.from(`${path}/bad`), Buffer.of(0xff)]), 'bytes')
  const entries = new Map((await unpack(readArchive(files, root, target('/.'), plain).tar)).map((found) => [found.entry.path, found]))
  assert.deepEqual([...entries.keys()], ['./', './bad\udcff', './big', './pipe', './same', './sym'])
  const file = entries.get('./big')
  assert.equal(file?.data === big, true)
  assert.deepEqual([file?.entry.mode, file?.entry.mtime, file?.entry.uid], [0o640, 1_000_000_000_000n, me.uid])
  assert.deepEqual([entries.get('./same')?.entry.type, entries.get('./same')?.entry.linkPath], ['hardlink', './big'])
  assert.deepEqual([entries.get('./sym')?.entry.type, entries.get('./sym')?.entry.linkPath], ['symlink', '/etc/passwd'])
  assert.equal(entries.get('./pipe')?.entry.type, 'fifo')
  assert.equal(entries.get('./bad\udcff')?.data, 'bytes')
})

test('readArchive fills up a file that shrinks while it is read', async (t) => {
  const { root, path } = makeRoot(t)
  const size = 8 * 1024 * 1024
  writeFileSync(join(path, 'log'), Buffer.alloc(size, 'x'))
  const { tar } = readArchive(files, root, target('/log'), plain)
  const iterator = tar[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  const first = await iterator.next()
  truncateSync(join(path, 'log'), 100)
  const rest: Buffer[] = [first.value as Buffer]
  for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) rest.push(next.value)
  const [entry] = await unpack(Readable.from(rest))
  assert.equal(entry?.data.length, size)
})

test('readArchive gives up its descriptors when the stream is destroyed, read or not', async (t) => {
  const { root, path } = makeRoot(t)
  writeFileSync(join(path, 'big'), Buffer.alloc(8 * 1024 * 1024))
  const open = () => readdirSync('/proc/self/fd').filter((fd) => readlink(fd).startsWith(path)).length
  const before = open()
  readArchive(files, root, target('/'), plain).tar.destroy()
  for await (const _chunk of readArchive(files, root, target('/'), plain).tar) break
  // A read under way is waited for.
  for (let i = 0; i < 250 && open() !== before; i++) await new Promise((resolve) => setTimeout(resolve, 20))
  assert.equal(open(), before)
})

function readlink(fd: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`)
  } catch {
    return ''
  }
}

test('writeArchive makes every kind of entry with its metadata', async (t) => {
  const { root, path } = makeRoot(t)
  mkdirSync(join(path, 'to'))
  const big = 'y'.repeat(2_500_000)
  await put(root, '/to', [
    item('dir/', { type: 'directory', mode: 0o2750 }),
    item('dir/file', { mode: 0o4711 }, 'content'),
    item('implied/deep/big', {}, big),
    item('dir/link', { type: 'hardlink', linkPath: 'dir/file' }),
    item('sym', { type: 'symlink', linkPath: '/nowhere' }),
    item('pipe', { type: 'fifo', mode: 0o600 }),
    item('bad\udcff', {}, 'bytes'),
  ])
  const stat = (name: string) => lstatSync(join(path, 'to', name), { bigint: true })
  assert.equal(Number(stat('dir').mode) & 0o7777, 0o2750)
  assert.equal(stat('dir').mtimeNs, 1_700_000_000_123_456_789n)
  assert.equal(Number(stat('dir/file').mode) & 0o7777, 0o4711)
  assert.equal(stat('dir/file').mtimeNs, 1_700_000_000_123_456_789n)
  assert.equal(stat('dir/file').ino, stat('dir/link').ino)
  assert.equal(readFileSync(join(path, 'to/implied/deep/big'), 'utf8') === big, true)
  assert.equal(readlinkSync(join(path, 'to/sym')), '/nowhere')
  assert.equal(stat('pipe').isFIFO(), true)
  assert.equal(readFileSync(Buffer.concat([Buffer.from(`${path}/to/bad`), Buffer.of(0xff)]), 'utf8'), 'bytes')
})

test('writeArchive leaves the destination itself as it is', async (t) => {
  const { root, path } = makeRoot(t)
  chmodSync(path, 0o711)
  await put(root, '/', [item('./', { type: 'directory', mode: 0o777 }), item('./a', {}, '1')])
  assert.equal(statSync(path).mode & 0o777, 0o711)
  assert.equal(readFileSync(join(path, 'a'), 'utf8'), '1')
})

test('writeArchive replaces what is there and merges directories', async (t) => {
  const { root, path } = makeRoot(t)
  mkdirSync(join(path, 'keep'))
  writeFileSync(join(path, 'keep/old'), 'old')
  mkdirSync(join(path, 'tree/sub'), { recursive: true })
  writeFileSync(join(path, 'tree/sub/x'), '')
  writeFileSync(join(path, 'file'), '')
  await put(root, '/', [
    item('keep/', { type: 'directory', mode: 0o755 }),
    item('keep/new', {}, 'new'),
    item('tree', {}, 'now a file'),
    item('file/', { type: 'directory', mode: 0o755 }),
    item('file/inside', {}, '1'),
  ])
  assert.deepEqual(readdirSync(join(path, 'keep')).sort(), ['new', 'old'])
  assert.equal(readFileSync(join(path, 'tree'), 'utf8'), 'now a file')
  assert.equal(readFileSync(join(path, 'file/inside'), 'utf8'), '1')
})

test('writeArchive with noOverwriteDirNonDir refuses to change the kind', async (t) => {
  const { root, path } = makeRoot(t)
  mkdirSync(join(path, 'to/dir'), { recursive: true })
  writeFileSync(join(path, 'to/file'), '')
  const refused = (entry: WritableEntry) => put(root, '/to', [entry], { noOverwriteDirNonDir: true })
  await assert.rejects(refused(item('dir', {}, '')), {
    code: 'INVALID_ARGUMENT',
    message: 'cannot overwrite directory "/to/dir" with non-directory "/to"',
  })
  await assert.rejects(refused(item('file', { type: 'directory' })), {
    message: 'cannot overwrite non-directory "/to/file" with directory "/to"',
  })
})

test('writeArchive follows links of the container inside its root only', async (t) => {
  const { root, path, outside } = makeRoot(t)
  mkdirSync(join(path, outside), { recursive: true })
  mkdirSync(join(path, 'to'))
  symlinkSync(outside, join(path, 'to/link'))
  symlinkSync('/to', join(path, 'entry'))
  await put(root, '/entry', [item('link/planted', {}, 'in the container'), item('direct', {}, '1')])
  assert.equal(existsSync(join(outside, 'planted')), false)
  assert.equal(readFileSync(join(path, outside, 'planted'), 'utf8'), 'in the container')
  assert.equal(readFileSync(join(path, 'to/direct'), 'utf8'), '1')
})

test('writeArchive does not write through a link that the archive brought itself', async (t) => {
  const { root, path, outside } = makeRoot(t)
  const escape = item('out', { type: 'symlink', linkPath: `../../../../../../..${outside}` })
  await assert.rejects(put(root, '/', [escape, item('out/planted', {}, 'x')]))
  assert.deepEqual(readdirSync(outside), ['secret'])
  await put(root, '/', [item('f', { type: 'symlink', linkPath: join(outside, 'secret') }), item('f', {}, 'replaced')])
  assert.equal(readFileSync(join(outside, 'secret'), 'utf8'), 'secret')
  assert.equal(readFileSync(join(path, 'f'), 'utf8'), 'replaced')
})

test('writeArchive refuses names that lead out, and keeps absolute ones inside', async (t) => {
  const { root, path } = makeRoot(t)
  mkdirSync(join(path, 'to'))
  await assert.rejects(put(root, '/to', [item('a/../../b', {}, '')]), { code: 'INVALID_ARGUMENT', message: '"/b" is outside of "/to"' })
  await assert.rejects(put(root, '/to', [item('x', { type: 'hardlink', linkPath: '../../etc/shadow' })]), { code: 'INVALID_ARGUMENT' })
  await put(root, '/to', [item('/etc/x', {}, '1')])
  assert.equal(readFileSync(join(path, 'to/etc/x'), 'utf8'), '1')
})

test('writeArchive replaces an open directory of the archive by something else', async (t) => {
  const { root, path } = makeRoot(t)
  await put(root, '/', [
    item('a/b/c', {}, '1'),
    item('a', {}, 'file'),
    item('d/e', {}, '2'),
    item('d', { type: 'symlink', linkPath: 'f' }),
    item('f/', { type: 'directory', mode: 0o755 }),
    item('d/g', {}, '3'),
  ])
  assert.equal(readFileSync(join(path, 'a'), 'utf8'), 'file')
  assert.equal(readFileSync(join(path, 'f/g'), 'utf8'), '3')
})

test('writeArchive reads compressed archives', async (t) => {
  const { root, path } = makeRoot(t)
  for (const [name, encode] of Object.entries({ gz: gzipSync, zst: zstdCompressSync }))
    await put(root, '/', [item(name, {}, name)], { encode })
  assert.deepEqual(readdirSync(path).sort(), ['gz', 'zst'])
})

test('writeArchive needs an existing directory', async (t) => {
  const { root, path } = makeRoot(t)
  writeFileSync(join(path, 'file'), '')
  await assert.rejects(put(root, '/gone', []), { code: 'NOT_FOUND', message: 'Could not find the file /gone in container web' })
  await assert.rejects(put(root, '/file', []), { code: 'INVALID_ARGUMENT', message: 'extraction point is not a directory' })
})

test('writeArchive refuses a malformed archive', async (t) => {
  const { root } = makeRoot(t)
  await assert.rejects(put(root, '/', [item('a', {}, 'data')], { encode: (tar) => tar.subarray(0, 700) }), { code: 'INVALID_ARGUMENT' })
  await assert.rejects(put(root, '/', [], { encode: () => Buffer.alloc(2048, 'garbage') }), { code: 'INVALID_ARGUMENT' })
})

test('writeArchive refuses read-only places', async (t) => {
  const { root, path } = makeRoot(t)
  mkdirSync(join(path, 'volume/sub'), { recursive: true })
  mkdirSync(join(path, 'ro'))
  mkdirSync(join(path, 'run'))
  const mounts = [
    { destination: '/volume', rw: true },
    { destination: '/ro', rw: false },
  ]
  const container = { mounts, hostConfig: { readonlyRootfs: true, tmpfs: { '/run': '' } } } as unknown as Container
  await assert.rejects(put(root, '/', [], { container }), { code: 'INVALID_ARGUMENT', message: 'container rootfs is marked read-only' })
  await assert.rejects(put(root, '/ro', [], { container }), { code: 'INVALID_ARGUMENT', message: 'mounted volume is marked read-only' })
  await put(root, '/volume/sub', [item('a', {}, '1')], { container })
  await put(root, '/run', [item('a', {}, '1')], { container })
})
