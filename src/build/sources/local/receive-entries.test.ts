import assert from 'node:assert/strict'
import { constants } from 'node:fs'
import { describe, it } from 'node:test'
import type { FileStat } from '../../session.ts'
import { fakeStat } from '../testing/fake-transfer.ts'
import type { FakeFile } from '../testing/fake-transfer.ts'
import { receiveEntries } from './receive-entries.ts'
import type { EntryLimits } from './receive-entries.ts'

const FILE = { content: 'x' }
const link = (linkname: string): FakeFile => ({ mode: constants.S_IFLNK | 0o777, linkname })

async function receive(stats: readonly FileStat[], limits?: EntryLimits): Promise<string[]> {
  const transfer = {
    async *entries() {
      yield* stats
    },
    read: () => assert.fail('nothing is read'),
    async [Symbol.asyncDispose]() {},
  }
  const entries = await receiveEntries(transfer, limits)
  return entries.map(({ index, stat }) => `${index} ${stat.path}`)
}

function stats(...files: [string, FakeFile?][]): FileStat[] {
  return files.map(([path, file]) => fakeStat(path, file ?? {}))
}

describe('receiveEntries', () => {
  it('takes a tree in the order of a walk', async () => {
    const tree = stats(
      ['a'],
      ['a/b', FILE],
      ['a/c'],
      ['a/c/d', link('/etc')],
      ['a.b', FILE],
      ['a.c', { ...FILE, linkname: 'a/b' }],
      ['\u{1f600}', FILE],
    )
    assert.deepEqual(await receive(tree), ['0 a', '1 a/b', '2 a/c', '3 a/c/d', '4 a.b', '5 a.c', '6 \u{1f600}'])
  })

  it('orders names by their bytes', async () => {
    assert.equal((await receive(stats(['\uff71', FILE], ['\u{1f600}', FILE]))).length, 2)
    await assert.rejects(receive(stats(['\u{1f600}', FILE], ['\uff71', FILE])), /out of order/)
  })

  it('leaves sockets out, and keeps the numbers of what comes after them', async () => {
    assert.deepEqual(await receive(stats(['a', { mode: constants.S_IFSOCK }], ['b', FILE])), ['1 b'])
  })

  it('refuses what leads out of the directory', async () => {
    const hostile: [FileStat[], RegExp][] = [
      [stats(['../a', FILE]), /no plain path/],
      [stats(['/etc', FILE]), /no plain path/],
      [stats(['a//b', FILE]), /no plain path/],
      [stats(['.', FILE]), /no plain path/],
      [stats(['a'], ['a/..', FILE]), /no plain path/],
      [stats(['', FILE]), /no path/],
      [stats(['a\0b', FILE]), /no path/],
      [stats(['a'.repeat(256), FILE]), /no plain path/],
      [stats(['a/b', FILE]), /no directory/],
      [stats(['d', link('/etc')], ['d/passwd', FILE]), /no directory/],
      [stats(['d', FILE], ['d/passwd', FILE]), /no directory/],
      [stats(['b', FILE], ['a', FILE]), /out of order/],
      [stats(['a', FILE], ['a', link('/etc')]), /out of order/],
      [stats(['a', { ...FILE, linkname: '../../etc/shadow' }]), /hard link/],
      [stats(['a', { ...FILE, linkname: 'b' }], ['b', FILE]), /hard link/],
      [stats(['a', link('/etc/shadow')], ['b', { ...FILE, linkname: 'a' }]), /hard link/],
      [stats(['a', link('')]), /symbolic link/],
      [stats(['a', { mode: 0o644 }]), /no known type/],
      [stats(['a', { ...FILE, size: -1 }]), /bad attributes/],
      [stats(['a', { ...FILE, uid: 2 ** 32 }]), /bad attributes/],
      [stats(['a', { ...FILE, mtime: 1n << 63n }]), /valid time/],
      [stats(['a', { ...FILE, xattrs: { 'user.x': Buffer.alloc(70_000) } }]), /attributes/],
    ]
    for (const [tree, message] of hostile) await assert.rejects(receive(tree), { code: 'INVALID_ARGUMENT', message })
  })

  it('refuses more than the limits', async () => {
    const tree = stats(['a', FILE], ['b', FILE], ['c', FILE])
    await assert.rejects(receive(tree, { entries: 2, text: 100 }), { code: 'INVALID_ARGUMENT', message: /too many files/ })
    await assert.rejects(receive(tree, { entries: 3, text: 2 }), { code: 'INVALID_ARGUMENT', message: /too many files/ })
    assert.equal((await receive(tree, { entries: 3, text: 3 })).length, 3)
  })
})
