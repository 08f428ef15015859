import assert from 'node:assert/strict'
import {
  constants,
  existsSync,
  linkSync,
  lstatSync,
  mkdtempDisposableSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { decodeName, systemPath } from '#archive'
import { createFiles } from '#kernel'
import { createInlineRunner } from '#snapshots'
import { loadFileTask } from '../../files/file-tasks.ts'
import { fakeTransfer } from '../testing/fake-transfer.ts'
import type { FakeFile, FakeTransfer } from '../testing/fake-transfer.ts'
import { createKeptDirectories } from './kept-directories.ts'
import type { HeldDirectory, KeptDirectories, ReceiveRequest } from './kept-directories.ts'
import { receiveEntries } from './receive-entries.ts'

const TREE: Record<string, FakeFile> = {
  a: {},
  'a/one': { content: 'first' },
  'a/two': { content: 'second', mode: constants.S_IFREG | 0o4755 },
  b: { mode: constants.S_IFDIR | 0o700 },
  'b/link': { mode: constants.S_IFLNK | 0o777, linkname: '../a/one' },
  'b/pipe': { mode: constants.S_IFIFO | 0o600 },
  c: { content: 'third' },
  d: { content: 'third', linkname: 'c' },
}

interface Test extends Disposable {
  directory: string
  kept: KeptDirectories
  /** As after a restart of the daemon, or of the machine. */
  reopen: (bootId?: string) => KeptDirectories
}

function setUp(): Test {
  const temporary = mkdtempDisposableSync(join(tmpdir(), 'contexts-'))
  const directory = temporary.path
  const report = (error: unknown): never => assert.fail(String(error))
  const files = createFiles()
  const jobs = createInlineRunner({ files, loadTask: loadFileTask })
  let time = 1000
  const reopen = (bootId = 'boot'): KeptDirectories => createKeptDirectories({ directory, files, jobs, bootId, report, now: () => time++ })
  return { directory, reopen, kept: reopen(), [Symbol.dispose]: () => temporary.remove() }
}

interface Sent {
  held: HeldDirectory
  transfer: FakeTransfer
}

async function send(
  kept: KeptDirectories,
  files: Record<string, FakeFile>,
  options: Partial<ReceiveRequest> & { breakAt?: string } = {},
): Promise<Sent> {
  const transfer = fakeTransfer(files, options.breakAt)
  const entries = await receiveEntries(transfer)
  const { signal } = new AbortController()
  const held = await kept.receive({
    key: 'key',
    description: 'local source for context',
    entries,
    transfer,
    signal,
    received: () => {},
    ...options,
  })
  return { held, transfer }
}

/** `path type mode mtime content` of all below. */
function look(root: string): string[] {
  return (readdirSync(root, { recursive: true }) as string[]).toSorted().map((path) => {
    const stat = lstatSync(join(root, path), { bigint: true })
    const content = stat.isFile() ? readFileSync(join(root, path), 'utf8') : stat.isSymbolicLink() ? readlinkSync(join(root, path)) : ''
    return `${path} ${stat.mode.toString(8)} ${stat.mtimeNs} ${content}`
  })
}

function expected(files: Record<string, FakeFile>): string[] {
  const paths = Object.keys(files).toSorted()
  return paths.map((path) => {
    const { content, mode, linkname, mtime } = files[path] ?? {}
    const type = content === undefined ? constants.S_IFDIR | 0o755 : constants.S_IFREG | 0o644
    const text = content ?? (((mode ?? 0) & constants.S_IFMT) === constants.S_IFLNK ? linkname : '')
    return `${path} ${(mode ?? type).toString(8)} ${mtime ?? 1_000_000_000_123_456_789n} ${String(text)}`
  })
}

describe('KeptDirectories', () => {
  it('receives names that are no UTF-8, and knows them again', async () => {
    using test = setUp()
    const [name, target] = ['d\xe9', '../caf\xe9'].map((latin) => decodeName(Buffer.from(latin, 'latin1')))
    const tree = {
      [`${name}`]: {},
      [`${name}/file`]: { content: 'text' },
      [`${name}/link`]: { mode: constants.S_IFLNK | 0o777, linkname: `${target}` },
    }
    const { held } = await send(test.kept, tree)
    const inside = (path: string): string | Buffer => systemPath(join(held.path, `${name}`, path))
    assert.equal(readFileSync(inside('file'), 'utf8'), 'text')
    assert.deepEqual(readlinkSync(inside('link'), { encoding: 'buffer' }), Buffer.from('../caf\xe9', 'latin1'))
    held[Symbol.dispose]()
    const again = await send(test.reopen(), tree)
    assert.deepEqual([again.held.generation, again.transfer.asked], [held.generation, []])
  })

  it('receives a tree as it is', async () => {
    using test = setUp()
    const { held, transfer } = await send(test.kept, TREE)
    assert.deepEqual(look(held.path), expected(TREE))
    assert.deepEqual(transfer.asked, ['a/one', 'a/two', 'c'])
    assert.equal(lstatSync(join(held.path, 'c')).ino, lstatSync(join(held.path, 'd')).ino)
    assert.deepEqual(
      [held.path, join(held.path, '..')].map((path) => lstatSync(path).mode & 0o777),
      [0o755, 0o700],
    )
  })

  it('asks for nothing again, and keeps the generation, when nothing has changed', async () => {
    using test = setUp()
    const first = await send(test.kept, TREE)
    const second = await send(test.reopen(), TREE)
    assert.deepEqual(second.transfer.asked, [])
    assert.deepEqual([second.held.path, second.held.generation], [first.held.path, first.held.generation])
  })

  it('asks only for what is new or another, and deletes what is gone', async () => {
    using test = setUp()
    const first = await send(test.kept, TREE)
    first.held[Symbol.dispose]()
    const { b: _b, 'b/link': _link, 'b/pipe': _pipe, ...rest } = TREE
    const changed = {
      ...rest,
      'a/two': { content: 'new two' },
      c: { content: 'third', mtime: 5n },
      d: { content: 'third', mtime: 5n, linkname: 'c' },
      e: {},
    }
    const second = await send(test.kept, changed)
    assert.deepEqual(second.transfer.asked, ['a/two', 'c'])
    assert.deepEqual(look(second.held.path), expected(changed))
    assert.notEqual(second.held.generation, first.held.generation)
    assert.equal(second.held.path, first.held.path)
    assert.equal(lstatSync(join(second.held.path, 'c')).ino, lstatSync(join(second.held.path, 'd')).ino)
  })

  it('puts any kind of file in the place of any other', async () => {
    using test = setUp()
    const kinds: FakeFile[] = [
      {},
      { content: 'text' },
      { mode: constants.S_IFLNK | 0o777, linkname: '/nowhere' },
      { mode: constants.S_IFIFO | 0o644 },
    ]
    for (const before of kinds) {
      for (const after of kinds) {
        for (const file of [before, after]) {
          const isDirectory = file === kinds[0]
          const tree = { x: file, ...(isDirectory && { 'x/y': {}, 'x/y/z': { content: 'deep' } }) }
          const { held } = await send(test.kept, tree)
          assert.deepEqual(look(held.path), expected(tree))
          held[Symbol.dispose]()
        }
      }
    }
  })

  it('receives many files, and large ones', async () => {
    using test = setUp()
    const tree: Record<string, FakeFile> = { big: { content: 'b'.repeat(300_000) }, d: {} }
    for (let i = 0; i < 300; i++) tree[`d/${String(i).padStart(3, '0')}`] = { content: `file ${i}`.repeat(i) }
    const { held } = await send(test.kept, tree)
    assert.deepEqual(look(held.path), expected(tree))
    held[Symbol.dispose]()
    const { big } = tree
    assert.deepEqual(
      look((await send(test.kept, { ...(big && { big: { ...big, mtime: 7n } }) })).held.path),
      expected({ big: { ...big, mtime: 7n } }),
    )
  })

  it('never writes to a file that others may have links to', async () => {
    using test = setUp()
    const { held } = await send(test.kept, { f: { content: 'old' } })
    const copy = join(test.directory, 'copy')
    linkSync(join(held.path, 'f'), copy)
    held[Symbol.dispose]()
    await send(test.kept, { f: { content: 'old', mode: constants.S_IFREG | 0o755, mtime: 1n } })
    assert.deepEqual([readFileSync(copy, 'utf8'), lstatSync(copy).mode & 0o777], ['old', 0o644])
  })

  it('lets builds share what need not change, and gives others a directory of their own', async () => {
    using test = setUp()
    const first = await send(test.kept, TREE)
    const same = await send(test.kept, TREE)
    assert.equal(same.held.path, first.held.path)
    const { a, 'a/one': one } = TREE
    const changed = { ...(a && one && { a, 'a/one': one }), c: { content: 'another' } }
    const other = await send(test.kept, changed)
    assert.notEqual(other.held.path, first.held.path)
    assert.deepEqual(other.transfer.asked, ['c'])
    assert.deepEqual(look(first.held.path), expected(TREE))
    assert.deepEqual(look(other.held.path), expected(changed))
    for (const { held } of [first, first, other]) held[Symbol.dispose]()
    await test.kept.settled()
    assert.ok(!existsSync(other.held.path))
    const third = await send(test.kept, { c: { content: 'other' } })
    assert.notEqual(third.held.path, first.held.path) // `same` is still held
    same.held[Symbol.dispose]()
    const fourth = await send(test.kept, { c: { content: 'other' } })
    assert.equal(fourth.held.path, first.held.path)
  })

  it('keeps nothing without a key', async () => {
    using test = setUp()
    const { held } = await send(test.kept, TREE, { key: undefined })
    assert.deepEqual(look(held.path), expected(TREE))
    held[Symbol.dispose]()
    await test.kept.settled()
    assert.deepEqual(readdirSync(test.directory), [])
    await assert.rejects(send(test.kept, TREE, { key: undefined, breakAt: 'c' }), { message: 'the client has gone' })
    await test.kept.settled()
    assert.deepEqual(readdirSync(test.directory), [])
  })

  it('goes on after a transfer that broke off', async () => {
    using test = setUp()
    const first = await send(test.kept, TREE)
    first.held[Symbol.dispose]()
    const { b: _b, 'b/link': _link, 'b/pipe': _pipe, ...rest } = TREE
    const changed = { ...rest, 'a/one': { content: 'new one' }, 'a/two': { content: 'new two' }, e: {}, 'e/f': { content: 'last' } }
    await assert.rejects(send(test.kept, changed, { breakAt: 'e/f' }), { message: 'the client has gone' })
    const { held, transfer } = await send(test.kept, changed)
    assert.ok(transfer.asked.length < 3 && transfer.asked.includes('e/f'), String(transfer.asked))
    assert.deepEqual(look(held.path), expected(changed))
  })

  it('knows nothing after a crash in the middle, or another boot', async () => {
    using test = setUp()
    const first = await send(test.kept, TREE)
    const crashed = join(first.held.path, '..')
    writeFileSync(join(first.held.path, 'c'), 'garbage')
    assert.deepEqual((await send(test.reopen('other boot'), TREE)).transfer.asked, ['a/one', 'a/two', 'c'])
    unlinkSync(join(crashed, 'index'))
    const kept = test.reopen('other boot')
    const again = await send(kept, TREE)
    assert.deepEqual(again.transfer.asked, ['a/one', 'a/two', 'c'])
    assert.deepEqual(look(again.held.path), expected(TREE))
    await kept.settled()
  })

  it('throws out after a restart what nobody can use', async () => {
    using test = setUp()
    await send(test.kept, TREE, { key: undefined })
    await send(test.kept, TREE)
    const same = test.reopen()
    same.restore()
    await same.settled()
    assert.deepEqual(readdirSync(test.directory), ['key'])
    const other = test.reopen('other boot')
    other.restore()
    await other.settled()
    assert.deepEqual(readdirSync(test.directory), [])
  })

  it('lists and removes what is kept, unless a build holds it', async () => {
    using test = setUp()
    assert.deepEqual(await test.kept.list(), [])
    const { held } = await send(test.kept, TREE)
    await send(test.kept, TREE, { key: undefined })
    const [record, ...others] = await test.kept.list()
    assert.deepEqual(others, [])
    assert.deepEqual(record, {
      id: 'key',
      parents: [],
      type: 'source.local',
      description: 'local source for context',
      inUse: true,
      shared: false,
      mutable: true,
      size: 16,
      createdAt: 1000,
      lastUsedAt: 1000,
      usageCount: 1,
    })
    await assert.rejects(async () => await test.kept.remove('key'), { code: 'CONFLICT' })
    held[Symbol.dispose]()
    assert.equal((await test.kept.list())[0]?.inUse, false)
    await test.kept.remove('key')
    await assert.rejects(async () => await test.kept.remove('key'), { code: 'NOT_FOUND' })
    await assert.rejects(async () => await test.kept.remove('../key'), { code: 'NOT_FOUND' })
    assert.deepEqual(await test.kept.list(), [])
    await test.kept.settled()
  })

  it('lets who waits for another transfer leave', async () => {
    using test = setUp()
    const transfer = fakeTransfer({ f: { content: 'x' } })
    const go = Promise.withResolvers<void>()
    async function* slow(): AsyncGenerator<Uint8Array, void, void> {
      await go.promise
      yield Buffer.from('x')
    }
    const entries = await receiveEntries(transfer)
    const request = { key: 'key', description: '', entries, received: () => {}, signal: new AbortController().signal }
    const first = test.kept.receive({ ...request, transfer: { read: slow } })
    const abort = new AbortController()
    const second = test.kept.receive({ ...request, transfer, signal: abort.signal })
    abort.abort(new Error('gone'))
    await assert.rejects(second, { message: 'gone' })
    go.resolve()
    assert.deepEqual(look((await first).path), expected({ f: { content: 'x' } }))
    assert.equal((await test.kept.receive({ ...request, transfer })).path, (await first).path)
  })
})
