import assert from 'node:assert/strict'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempDisposableSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { tarEntry, writeTar } from '#archive'
import type { TarEntry, WritableEntry } from '#archive'
import { createFakeFiles } from '#kernel'
import { extractTree } from './extract-tree.ts'
import type { WriteOptions } from './tree-writer.ts'

/** A directory to unpack into, with a secret beside it that no archive may touch. */
function setUp(): Disposable & {
  root: string
  outside: string
  extract: (entries: WritableEntry[], options?: Partial<WriteOptions>) => Promise<unknown>
  calls: () => unknown[]
} {
  const directory = mkdtempDisposableSync(join(realpathSync(tmpdir()), 'extract-'))
  const root = join(directory.path, 'root')
  const outside = join(directory.path, 'outside')
  mkdirSync(root)
  mkdirSync(outside)
  writeFileSync(join(outside, 'secret'), 'secret')
  const files = createFakeFiles()
  // Tests run without privileges: everything belongs to whoever runs them.
  const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }
  return {
    root,
    outside,
    async extract(entries, options = {}) {
      using fd = files.openRoot(root)
      return await extractTree(files, fd.fd, writeTar(entries), { whiteouts: 'overlay', owner, ...options })
    },
    calls: () => files.calls,
    [Symbol.dispose]: () => directory.remove(),
  }
}

function file(path: string, text: string, members: Partial<TarEntry> = {}): WritableEntry {
  return { entry: tarEntry({ path, size: Buffer.byteLength(text), ...members }), body: [Buffer.from(text)] }
}

const directory = (path: string, members: Partial<TarEntry> = {}): WritableEntry => ({
  entry: tarEntry({ type: 'directory', path, mode: 0o755, ...members }),
})
const symlink = (path: string, linkPath: string): WritableEntry => ({ entry: tarEntry({ type: 'symlink', path, linkPath }) })
const hardlink = (path: string, linkPath: string): WritableEntry => ({ entry: tarEntry({ type: 'hardlink', path, linkPath }) })

describe('extractTree', () => {
  it('writes files, directories and links with mode and time', async () => {
    using test = setUp()
    const mtime = 1_600_000_000_123_456_789n
    await test.extract([
      directory('d/', { mode: 0o2750, mtime }),
      file('d/f', 'text', { mode: 0o4711, mtime }),
      symlink('d/s', '/anywhere'),
      hardlink('d/h', 'd/f'),
    ])
    const [d, f] = ['d', 'd/f'].map((path) => statSync(join(test.root, path), { bigint: true }))
    assert.equal(Number(d!.mode & 0o7777n), 0o2750)
    assert.equal(d!.mtimeNs, mtime, 'writing into a directory must not change its time')
    assert.equal(Number(f!.mode & 0o7777n), 0o4711)
    assert.equal(f!.mtimeNs, mtime)
    assert.equal(f!.nlink, 2n)
    assert.equal(readlinkSync(join(test.root, 'd/s')), '/anywhere')
    assert.equal(readFileSync(join(test.root, 'd/h'), 'utf8'), 'text')
  })

  it('makes missing directories, and names that are not UTF-8', async () => {
    using test = setUp()
    await test.extract([file('a/b/c', 'deep'), file('bad\udcff', 'bytes')])
    assert.equal(readFileSync(join(test.root, 'a/b/c'), 'utf8'), 'deep')
    assert.equal(readFileSync(Buffer.concat([Buffer.from(`${test.root}/bad`), Buffer.of(0xff)]), 'utf8'), 'bytes')
  })

  it('puts files into a directory whose name is not UTF-8', async () => {
    using test = setUp()
    await test.extract([directory('d\udcff/'), file('d\udcff/f', '1'), hardlink('d\udcff/h', 'd\udcff/f')])
    assert.deepEqual(readdirSync(test.root, { encoding: 'latin1' }), ['d\xff'])
    assert.deepEqual(readdirSync(Buffer.from(`${test.root}/d\xff`, 'latin1')).sort(), ['f', 'h'])
  })

  it('gives a directory that is named twice the time of the last entry', async () => {
    using test = setUp()
    await test.extract([directory('d/', { mtime: 1_000_000_000n }), directory('d/', { mtime: 2_000_000_000n })])
    assert.equal(statSync(join(test.root, 'd')).mtimeMs, 2000)
  })

  it('takes a leading slash and inner dots as inside', async () => {
    using test = setUp()
    await test.extract([file('/etc/x', '1'), file('./a/./b/../c', '2'), file('/../../y', '3')])
    assert.deepEqual(readdirSync(test.root).sort(), ['a', 'etc', 'y'])
    assert.equal(readFileSync(join(test.root, 'a/c'), 'utf8'), '2')
  })

  const OUTSIDE: [name: string, entries: (outside: string) => WritableEntry[]][] = [
    ['a name with ..', () => [file('../outside/secret', 'x')]],
    ['a name that climbs after descending', () => [file('a/../../outside/secret', 'x')]],
    ['a hard link to ..', () => [hardlink('x', '../outside/secret')]],
    ['a hard link to the directory itself', () => [hardlink('x', './')]],
    ['a hard link to what is not there', () => [hardlink('x', 'nothing')]],
    ['a hard link through a planted link', (outside) => [symlink('l', outside), hardlink('x', 'l/secret')]],
    ['a whiteout of ..', () => [file('.wh...', ''), file('.wh..', '')]],
    ['a whiteout of nothing', () => [file('a/.wh.', '')]],
    ['a name longer than the file system allows', () => [file('n'.repeat(300), 'x')]],
    ['a file below a file', () => [file('a', 'x'), file('a/b', 'y')]],
  ]
  for (const [name, entries] of OUTSIDE) {
    it(`refuses ${name}`, async () => {
      using test = setUp()
      await assert.rejects(test.extract(entries(test.outside)), { code: 'INVALID_ARGUMENT' })
      assert.equal(readFileSync(join(test.outside, 'secret'), 'utf8'), 'secret')
      assert.deepEqual(readdirSync(test.outside), ['secret'])
    })
  }

  it('follows planted links inside the directory only', async () => {
    using test = setUp()
    await test.extract([
      symlink('absolute', test.outside),
      file('absolute/secret', 'planted'),
      symlink('climbing', '../../outside'),
      file('climbing/secret', 'planted'),
    ])
    assert.equal(readFileSync(join(test.outside, 'secret'), 'utf8'), 'secret')
    assert.equal(readFileSync(join(test.root, test.outside, 'secret'), 'utf8'), 'planted')
    assert.equal(readFileSync(join(test.root, 'outside/secret'), 'utf8'), 'planted')
  })

  it('replaces a link by a file instead of writing through it', async () => {
    using test = setUp()
    await test.extract([symlink('l', join(test.outside, 'secret')), file('l', 'mine')])
    assert.equal(readFileSync(join(test.outside, 'secret'), 'utf8'), 'secret')
    assert.equal(lstatSync(join(test.root, 'l')).isFile(), true)
  })

  it('sees a directory that takes the place of a link', async () => {
    using test = setUp()
    await test.extract([directory('real/'), symlink('l', 'real'), file('l/a', '1'), directory('l/'), file('l/b', '2')])
    assert.deepEqual(readdirSync(join(test.root, 'real')), ['a'])
    assert.deepEqual(readdirSync(join(test.root, 'l')), ['b'])
  })

  it('lets a later entry replace an earlier one of another type', async () => {
    using test = setUp()
    await test.extract([file('x/y', '1'), file('x', '2'), directory('z/'), symlink('z', 'x')])
    assert.equal(readFileSync(join(test.root, 'x'), 'utf8'), '2')
    assert.equal(readlinkSync(join(test.root, 'z')), 'x')
  })

  it('keeps what is there in a directory that the archive has too', async () => {
    using test = setUp()
    writeFileSync(join(test.root, 'old'), 'old')
    mkdirSync(join(test.root, 'd'))
    writeFileSync(join(test.root, 'd/old'), 'old')
    await test.extract([directory('./'), directory('d/', { mode: 0o700 }), file('d/new', 'new')])
    assert.deepEqual(readdirSync(join(test.root, 'd')).sort(), ['new', 'old'])
    assert.equal(statSync(join(test.root, 'd')).mode & 0o777, 0o700)
  })

  it('keepKinds refuses to swap directory and file, with the words of docker cp', async () => {
    using test = setUp()
    mkdirSync(join(test.root, 'd'))
    writeFileSync(join(test.root, 'f'), '')
    const options = { whiteouts: 'none', keepKinds: true, container: { target: '/dest' } } as const
    await assert.rejects(test.extract([symlink('d', 'x')], options), {
      message: 'cannot overwrite directory "/dest/d" with non-directory "/dest"',
    })
    await assert.rejects(test.extract([directory('f')], options), {
      message: 'cannot overwrite non-directory "/dest/f" with directory "/dest"',
    })
  })

  it('translates whiteouts, except below directories of its own making', async () => {
    using test = setUp()
    await test.extract([
      file('.wh.gone', ''),
      directory('d/'),
      file('d/.wh..wh..opq', ''),
      file('own', 'text'),
      file('.wh.own', ''),
      file('.wh..wh.plnk', ''),
    ])
    const calls = test.calls() as { call: string; name: string; mode?: number }[]
    assert.deepEqual(
      calls.map(({ call, name }) => [call, name]),
      [
        ['mknodAt', 'gone'],
        ['setXattr', 'trusted.overlay.opaque'],
      ],
    )
    assert.equal(readFileSync(join(test.root, 'own'), 'utf8'), 'text')
  })

  it('takes marker files as files where there are no layers', async () => {
    using test = setUp()
    await test.extract([file('.wh.x', 'just a name')], { whiteouts: 'none' })
    assert.equal(existsSync(join(test.root, '.wh.x')), true)
  })

  it("does not take overlayfs's own attributes from an archive", async () => {
    using test = setUp()
    const xattrs = new Map([
      ['trusted.overlay.redirect', Buffer.from('/etc')],
      ['user.overlay.opaque', Buffer.from('y')],
      ['user.mine', Buffer.from('1')],
    ])
    await test.extract([file('f', '', { xattrs })])
    assert.deepEqual(
      (test.calls() as { name: string }[]).map(({ name }) => name),
      ['user.mine'],
    )
  })

  it('writes holes as holes', async () => {
    using test = setUp()
    const size = 10 * 1024 ** 3
    await test.extract([{ entry: tarEntry({ path: 's', size, sparse: [{ offset: 4096, length: 3 }] }), body: [Buffer.from('abc')] }])
    const stat = statSync(join(test.root, 's'))
    assert.equal(stat.size, size)
    assert.ok(stat.blocks * 512 < 1024 * 1024)
  })

  it('stops when its signal aborts and leaves no descriptor open', async () => {
    using test = setUp()
    const before = readdirSync('/proc/self/fd').length
    const abort = new AbortController()
    abort.abort(new Error('enough'))
    using fd = createFakeFiles().openRoot(test.root)
    await assert.rejects(extractTree(createFakeFiles(), fd.fd, writeTar([file('a/b', 'x')]), { whiteouts: 'none', signal: abort.signal }), {
      message: 'enough',
    })
    // Fewer: what tests before have left to be closed.
    assert.ok(readdirSync('/proc/self/fd').length <= before + 1)
  })

  it('does not write through a link that was there before', async () => {
    using test = setUp()
    symlinkSync(test.outside, join(test.root, 'l'))
    await test.extract([file('l/secret', 'planted')], { whiteouts: 'none' })
    assert.equal(readFileSync(join(test.outside, 'secret'), 'utf8'), 'secret')
  })
})
