/** Copies of build steps on real file systems. Needs root. */
import assert from 'node:assert/strict'
import {
  chmodSync,
  chownSync,
  existsSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { createFiles } from '#kernel'
import { SCRATCH } from '../../../src/build/graph/ref.ts'
import { shell } from '../storage/tree-listing.ts'
import { openWorld } from './world.ts'

const files = createFiles()

/** Names and contents below a directory; directories end in a slash, links show where they lead. */
function tree(root: string, prefix = ''): Record<string, string> {
  const found: Record<string, string> = {}
  for (const name of readdirSync(root)) {
    const path = join(root, name)
    const stat = lstatSync(path)
    if (stat.isDirectory()) Object.assign(found, { [`${prefix}${name}/`]: '' }, tree(path, `${prefix}${name}/`))
    else found[prefix + name] = stat.isSymbolicLink() ? `-> ${readlinkSync(path)}` : stat.isFile() ? readFileSync(path, 'utf8') : 'special'
  }
  return found
}

function write(root: string, contents: Record<string, string>): void {
  for (const [path, text] of Object.entries(contents)) {
    mkdirSync(join(root, path, '..'), { recursive: true })
    writeFileSync(join(root, path), text)
  }
}

describe('a copy', () => {
  it('keeps everything about files, links, devices and directories', async () => {
    await using world = await openWorld()
    const from = world.directory((path) => {
      mkdirSync(join(path, 'd'), { mode: 0o750 })
      writeFileSync(join(path, 'd/set'), 'x', { mode: 0o600 })
      chownSync(join(path, 'd/set'), 7, 8)
      chmodSync(join(path, 'd/set'), 0o4751)
      linkSync(join(path, 'd/set'), join(path, 'again'))
      symlinkSync('/etc/passwd', join(path, 'link'))
      lchownSync(join(path, 'link'), 5, 6)
      shell(path, 'mkfifo fifo; mknod -m 640 null c 1 3')
      writeFileSync(join(path, 'sparse'), 'begin')
      truncateSync(join(path, 'sparse'), 8 << 20)
      writeFileSync(join(path, 'big'), Buffer.alloc(3 << 20, 'abc'))
      files.setXattr(join(path, 'd/set'), 'user.note', Buffer.from('hello'))
      files.setXattr(join(path, 'd/set'), 'security.capability', Buffer.from('0100000200040000000000000000000000000000', 'hex'))
      files.setTimes(join(path, 'link'), 1n, 1_000_000_007n)
      utimesSync(join(path, 'd/set'), 10, 20)
      utimesSync(join(path, 'd'), 30, 40)
      chownSync(join(path, 'd'), 9, 10)
    })
    const copied = await world.copy(from, SCRATCH, { target: '/to' })
    world.view(copied, (root) => {
      const at = (name: string): string => join(root, 'to', name)
      const set = lstatSync(at('d/set'))
      assert.deepEqual([set.mode & 0o7777, set.uid, set.gid, set.mtimeMs, set.atimeMs], [0o4751, 7, 8, 20_000, 10_000])
      assert.equal(lstatSync(at('again')).ino, set.ino)
      const directory = lstatSync(at('d'))
      assert.deepEqual([directory.mode & 0o7777, directory.uid, directory.gid, directory.mtimeMs], [0o750, 9, 10, 40_000])
      const link = lstatSync(at('link'), { bigint: true })
      assert.deepEqual([readlinkSync(at('link')), link.uid, link.gid, link.mtimeNs], ['/etc/passwd', 5n, 6n, 1_000_000_007n])
      assert.ok(lstatSync(at('fifo')).isFIFO())
      assert.deepEqual([lstatSync(at('null')).rdev, lstatSync(at('null')).mode & 0o7777], [0x103, 0o640])
      assert.equal(lstatSync(at('sparse')).size, 8 << 20)
      assert.ok(lstatSync(at('sparse')).blocks * 512 < 1 << 20, 'holes must stay holes')
      assert.ok(readFileSync(at('big')).equals(Buffer.alloc(3 << 20, 'abc')))
      assert.equal(files.getXattr(at('d/set'), 'user.note')?.toString(), 'hello')
      assert.equal(files.getXattr(at('d/set'), 'security.capability')?.length, 20)
    })
    assert.deepEqual(world.leftovers(), [])
  })

  it('changes owner, mode and time of all that it makes, directories on the way included', async () => {
    await using world = await openWorld()
    const from = world.directory((path) => write(path, { 'd/f': 'x' }))
    const copied = await world.copy(from, SCRATCH, { target: '/new/deep/', owner: { user: 12, group: 13 }, mode: 0o700, timestamp: 5000 })
    world.view(copied, (root) => {
      for (const name of ['new', 'new/deep', 'new/deep/d', 'new/deep/d/f']) {
        const { uid, gid, mode, mtimeMs } = lstatSync(join(root, name))
        assert.deepEqual([uid, gid, mode & 0o7777], [12, 13, 0o700], name)
        if (name.includes('d/')) assert.equal(mtimeMs, 5000, name)
      }
    })
    const symbolic = await world.copy(from, SCRATCH, { mode: 'u=rwX,go=rX' })
    world.view(symbolic, (root) => {
      assert.deepEqual([lstatSync(join(root, 'd')).mode & 0o777, lstatSync(join(root, 'd/f')).mode & 0o777], [0o755, 0o644])
    })
  })

  it('knows owners by the names in the target, and numbers as BuildKit does', async () => {
    await using world = await openWorld()
    const from = world.directory((path) => write(path, { f: 'x' }))
    const base = await world.base((path) => write(path, { 'etc/passwd': 'web:x:33:34::/:/bin/sh\n', 'etc/group': 'staff:x:50:\n' }))
    for (const [owner, expected] of [
      [{ user: 'web' }, [33, 34]],
      [{ user: 'web', group: 'staff' }, [33, 50]],
      [{ user: 1000 }, [1000, 1000]],
      [{ group: 'staff' }, [0, 50]],
    ] as const) {
      const copied = await world.copy(from, base, { owner })
      const { uid, gid } = world.view(copied, (root) => lstatSync(join(root, 'f')))
      assert.deepEqual([uid, gid], expected)
    }
    await assert.rejects(world.copy(from, base, { owner: { user: 'nobody-here' } }), /unable to find user nobody-here/)
    assert.deepEqual(world.leftovers(), [])
  })

  it('links files of several names in directories that were there and in new ones', async () => {
    await using world = await openWorld()
    const base = await world.base((path) => write(path, { 'app/there/old': 'old' }))
    const names = ['again', 'new/a', 'new/deep/b', 'there/c', 'zoo/d']
    const from = world.directory((path) => {
      write(path, { again: 'text', 'new/deep/own': 'own', 'there/x': 'x', 'zoo/y': 'y' })
      for (const name of names.slice(1)) linkSync(join(path, 'again'), join(path, name))
      utimesSync(join(path, 'new/deep'), 50, 60)
    })
    for (const target of ['/app', '/fresh']) {
      const copied = await world.copy(from, base, { target })
      world.view(copied, (root) => {
        const [first, ...others] = names.map((name) => lstatSync(join(root, target, name)))
        assert.equal(first?.nlink, names.length)
        for (const { ino } of others) assert.equal(ino, first?.ino)
        assert.equal(lstatSync(join(root, target, 'new/deep')).mtimeMs, 60_000)
        const old = target === '/app' ? { 'there/old': 'old' } : {}
        const links = Object.fromEntries(names.map((name) => [name, 'text']))
        const directories = { 'new/': '', 'new/deep/': '', 'there/': '', 'zoo/': '' }
        assert.deepEqual(tree(join(root, target)), {
          ...directories,
          ...links,
          ...old,
          'new/deep/own': 'own',
          'there/x': 'x',
          'zoo/y': 'y',
        })
      })
    }
    assert.deepEqual(world.leftovers(), [])
  })

  it('merges with directories: their times are the source, their owner stays; what is in them is replaced', async () => {
    await using world = await openWorld()
    const base = await world.base((path) => {
      write(path, { 'app/sub/old': 'old', 'app/sub/both': 'old', 'app/keep': 'old' })
      chmodSync(join(path, 'app'), 0o700)
      chownSync(join(path, 'app'), 1, 1)
      chmodSync(join(path, 'app/sub'), 0o700)
    })
    const from = world.directory((path) => {
      write(path, { 'sub/both': 'new', 'sub/new': 'new' })
      chmodSync(join(path, 'sub'), 0o755)
      utimesSync(path, 50, 60)
    })
    const copied = await world.copy(from, base, { target: '/app' })
    world.view(copied, (root) => {
      assert.deepEqual(tree(join(root, 'app')), { 'sub/': '', 'sub/old': 'old', 'sub/both': 'new', 'sub/new': 'new', keep: 'old' })
      const top = lstatSync(join(root, 'app'))
      assert.deepEqual([top.mode & 0o777, top.uid, top.mtimeMs], [0o700, 1, 60_000])
      assert.equal(lstatSync(join(root, 'app/sub')).mode & 0o777, 0o755)
    })
  })

  it('puts a file into a directory, in the place of a file, and nowhere else', async () => {
    await using world = await openWorld()
    const from = world.directory((path) => write(path, { f: 'new', 'd/x': 'x' }))
    const base = await world.base((path) => write(path, { 'dir/inside': '', file: 'old', 'wrong/f/x': '' }))
    const result = async (action: Parameters<typeof world.copy>[2]): Promise<Record<string, string>> =>
      world.view(await world.copy(from, base, action), (root) => tree(root))
    assert.equal((await result({ source: '/f', target: '/dir' }))['dir/f'], 'new')
    assert.equal((await result({ source: '/f', target: '/dir/' }))['dir/f'], 'new')
    assert.equal((await result({ source: '/f', target: '/file' })).file, 'new')
    assert.equal((await result({ source: '/f', target: '/a/b/' }))['a/b/f'], 'new')
    assert.equal((await result({ source: '/f', target: '/a/b' }))['a/b'], 'new')
    assert.equal((await result({ source: '/d', target: '/dir', directoryContentsOnly: false }))['dir/d/x'], 'x')
    assert.equal((await result({ source: '/d', target: '/new', directoryContentsOnly: false }))['new/x'], 'x')
    await assert.rejects(result({ source: '/f', target: '/wrong' }), /cannot replace to directory \/wrong\/f with file/)
    await assert.rejects(result({ source: '/d', target: '/file' }), /cannot copy to non-directory: \/file/)
    await assert.rejects(result({ source: '/f', target: '/a/b', createTargetParents: false }), /failed to stat \/a\/b/)
    await assert.rejects(result({ source: '/missing' }), { code: 'NOT_FOUND', message: '"/missing": not found' })
    assert.equal((await result({ source: '/f', target: '/wrong', alwaysReplaceExisting: true }))['wrong/f'], 'new')
    assert.deepEqual(world.leftovers(), [])
  })

  it('takes what patterns name', async () => {
    await using world = await openWorld()
    const from = world.directory((path) =>
      write(path, { 'a.txt': '1', 'b.txt': '2', 'c.md': '3', 'd/e/f.txt': '4', 'd/e/g.md': '5', 'd/x/y': '6' }),
    )
    const result = async (action: Parameters<typeof world.copy>[2]): Promise<string[]> =>
      Object.keys(world.view(await world.copy(from, SCRATCH, { target: '/to/', ...action }), (root) => tree(join(root, 'to')))).sort()
    assert.deepEqual(await result({ source: '/*.txt' }), ['a.txt', 'b.txt'])
    assert.deepEqual(await result({ source: '/d/*' }), ['f.txt', 'g.md', 'y'])
    assert.deepEqual(await result({ includePatterns: ['d/*/*.txt'] }), ['d/', 'd/e/', 'd/e/f.txt'])
    assert.deepEqual(await result({ includePatterns: ['**/*.md'] }), ['c.md', 'd/', 'd/e/', 'd/e/g.md'])
    assert.deepEqual(await result({ excludePatterns: ['**/*.txt', 'd/x'] }), ['c.md', 'd/', 'd/e/', 'd/e/g.md'])
    assert.deepEqual(await result({ excludePatterns: ['d', '!d/e/g.md'] }), ['a.txt', 'b.txt', 'c.md', 'd/', 'd/e/', 'd/e/g.md'])
    const nothing = await world.copy(from, SCRATCH, { source: '/*.none' })
    assert.equal(nothing.chain, undefined)
    await assert.rejects(world.copy(from, SCRATCH, { source: '/*.none', allowEmptyWildcard: false }), /\/\*\.none not found/)
    await assert.rejects(world.copy(from, SCRATCH, { includePatterns: ['none'], requiredPaths: ['/none'] }), /"\/none": not found/)
  })

  it('gives the parent when nothing comes of it, and copies a sent directory that is a base', async () => {
    await using world = await openWorld()
    const base = await world.base((path) => write(path, { 'etc/x': '' }))
    const from = world.directory((path) => write(path, { a: 'x' }))
    const none = await world.copy(from, base, { source: '/*.none' })
    assert.equal(none.chain, base.chain)
    const onto = await world.copy(from, from, { source: '/a', target: '/b' })
    assert.deepEqual(
      world.view(onto, (root) => tree(root)),
      { a: 'x', b: 'x' },
    )
  })
})

describe('a copy among hostile links', () => {
  it('never leaves the target', async () => {
    await using world = await openWorld()
    using outside = { path: world.directory((path) => write(path, { passwd: 'mine' })).path, [Symbol.dispose]() {} }
    const base = await world.base((path) => {
      symlinkSync(outside.path, join(path, 'etc'))
      symlinkSync(`../../../../../..${outside.path}`, join(path, 'up'))
      symlinkSync(`${outside.path}/passwd`, join(path, 'file'))
      symlinkSync('loop', join(path, 'loop'))
      symlinkSync('/proc/self/root/etc', join(path, 'magic'))
    })
    const from = world.directory((path) => write(path, { passwd: 'evil', 'etc/passwd': 'evil' }))
    for (const target of ['/etc/', '/up/', '/file', '/etc/passwd', '/magic/', '/../../etc/']) {
      await world.copy(from, base, { source: '/passwd', target })
      assert.equal(readFileSync(join(outside.path, 'passwd'), 'utf8'), 'mine', target)
    }
    // What the links name is made inside the root.
    const followed = await world.copy(from, base, { source: '/passwd', target: '/etc/' })
    assert.equal(
      world.view(followed, (root) => readFileSync(join(root, outside.path, 'passwd'), 'utf8')),
      'evil',
    )
    await assert.rejects(world.copy(from, base, { target: '/' }), /cannot copy to non-directory: \/etc/)
    await assert.rejects(world.copy(from, base, { source: '/passwd', target: '/loop' }), /too many levels of symbolic links/)
    assert.equal(readFileSync(join(outside.path, 'passwd'), 'utf8'), 'mine')
    assert.ok(!existsSync('/etc/passwd/evil'))
    assert.deepEqual(world.leftovers(), [])
  })

  it('never leaves the source', async () => {
    await using world = await openWorld()
    const secret = world.directory((path) => write(path, { key: 'secret' })).path
    const from = world.directory((path) => {
      symlinkSync(secret, join(path, 'absolute'))
      symlinkSync('../../../../../../../..' + secret, join(path, 'up'))
      symlinkSync(`${secret}/key`, join(path, 'file'))
      symlinkSync('loop', join(path, 'loop'))
    })
    for (const source of ['/absolute/key', '/up/key', '/file', '/../../../..' + secret + '/key', '/absolute', '/up/*']) {
      const outcome = await world.copy(from, SCRATCH, { source, target: '/to/' }).catch((error: Error) => error)
      if (outcome instanceof Error) assert.match(outcome.message, /not found/, source)
      else assert.equal(outcome.chain, undefined, source)
    }
    await assert.rejects(world.copy(from, SCRATCH, { source: '/loop' }), /too many levels/)
    const links = await world.copy(from, SCRATCH, { target: '/to' })
    assert.deepEqual(Object.keys(world.view(links, (root) => tree(join(root, 'to')))).sort(), ['absolute', 'file', 'loop', 'up'])
  })

  it('copies a source that is swapped meanwhile without reading anything else', async () => {
    await using world = await openWorld()
    const secret = world.directory((path) =>
      write(path, Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`f${index}`, 'secret']))),
    ).path
    const from = world.directory((path) => {
      for (let index = 0; index < 50; index++) write(path, { [`d/sub/f${index}`]: 'public' })
      write(path, { 'z/last': '' })
    })
    const swap = `i=0; while [ ! -e stop ]; do mv d/sub d/was; ln -s ${secret} d/sub; rm d/sub; mv d/was d/sub; done`
    const { spawn } = await import('node:child_process')
    const child = spawn('sh', ['-c', swap], { cwd: from.path, stdio: 'ignore' })
    try {
      for (let round = 0; round < 20; round++) {
        const copied = await world.copy(from, SCRATCH, { source: '/d' }).catch((error: Error) => error)
        if (copied instanceof Error || copied.chain === undefined) continue
        const contents = world.view(copied, (root) => Object.values(tree(root)))
        assert.ok(!contents.includes('secret'))
      }
    } finally {
      writeFileSync(join(from.path, 'stop'), '')
      await new Promise((resolve) => child.once('exit', resolve))
    }
  })
})

describe('a copy of many files', () => {
  it('goes on in a worker, on descriptors of this process', async () => {
    await using world = await openWorld()
    const from = world.directory((path) => {
      for (let directory = 0; directory < 50; directory++) {
        mkdirSync(join(path, `d${directory}`))
        for (let index = 0; index < 100; index++) writeFileSync(join(path, `d${directory}/f${index}`), `content ${index}`)
      }
    })
    await world.copy(from, SCRATCH, { source: '/d0' }) // the worker is up
    const base = await world.base((path) => write(path, { 'app/x': 'x' }))
    const started = performance.now()
    const copied = await world.copy(from, base, { target: '/app/' })
    const elapsed = performance.now() - started
    process.stdout.write(`# 5,000 files copied in ${elapsed.toFixed(0)} ms\n`)
    assert.equal(
      world.view(copied, (root) => readdirSync(join(root, 'app')).length),
      51,
    )
    assert.equal(
      world.view(copied, (root) => statSync(join(root, 'app/d7/f3')).size),
      9,
    )
  })
})
