import assert from 'node:assert/strict'
import { linkSync, mkdirSync, mkdtempSync, readFileSync, readlinkSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { create, fsutil } from '#grpc'
import { MessageQueue } from '../message-queue.ts'
import { receiveDirectory } from './receive-directory.ts'
import { sendDirectory } from './send-directory.ts'
import { walkDirectory, type WalkFilter } from './walk-directory.ts'

const ALL: WalkFilter = { includePatterns: [], excludePatterns: [], followPaths: [] }

function tree(): Disposable & { path: string; out: string } {
  const base = mkdtempSync(join(tmpdir(), 'transfer-'))
  const path = join(base, 'in')
  mkdirSync(join(path, 'a/deep'), { recursive: true })
  writeFileSync(join(path, 'a/deep/file'), 'deep')
  writeFileSync(join(path, 'a.txt'), 'text', { mode: 0o640 })
  linkSync(join(path, 'a.txt'), join(path, 'twin'))
  symlinkSync('a/deep', join(path, 'link'))
  writeFileSync(join(path, 'node_modules'), '')
  return { path, out: join(base, 'out'), [Symbol.dispose]: () => rmSync(base, { recursive: true }) }
}

function paths(root: string, filter: Partial<WalkFilter>): string[] {
  return [...walkDirectory(root, { ...ALL, ...filter })].map(({ path }) => path)
}

suite('walkDirectory', () => {
  test('goes in lexical order by components, and knows further names of a file', () => {
    using made = tree()
    assert.deepEqual(paths(made.path, {}), ['a', 'a/deep', 'a/deep/file', 'a.txt', 'link', 'node_modules', 'twin'])
    assert.equal([...walkDirectory(made.path, ALL)].find(({ path }) => path === 'twin')?.linkname, 'a.txt')
  })

  test('leaves out what is excluded, with exceptions', () => {
    using made = tree()
    assert.deepEqual(paths(made.path, { excludePatterns: ['*', '!a/deep/file'] }), ['a', 'a/deep', 'a/deep/file'])
    assert.deepEqual(paths(made.path, { excludePatterns: ['node_modules', 'a', 'twin'] }), ['a.txt', 'link'])
  })

  test('takes what is included with its parents, and what links lead to', () => {
    using made = tree()
    assert.deepEqual(paths(made.path, { includePatterns: ['a/deep'] }), ['a', 'a/deep', 'a/deep/file'])
    assert.deepEqual(paths(made.path, { includePatterns: ['**/file'] }), ['a', 'a/deep', 'a/deep/file'])
    assert.deepEqual(paths(made.path, { followPaths: ['link/file'] }), ['a', 'a/deep', 'a/deep/file', 'link'])
    assert.deepEqual(paths(made.path, { followPaths: ['missing'] }), [])
  })
})

suite('transfer', () => {
  test('a directory arrives as it was sent', async () => {
    using made = tree()
    const toSender = new MessageQueue<fsutil.Packet>()
    const receiving = receiveDirectory({ path: made.out }, sendDirectory(made.path, ALL, toSender))
    for await (const packet of receiving) toSender.push(packet)
    assert.equal(readFileSync(join(made.out, 'a/deep/file'), 'utf8'), 'deep')
    assert.equal(readlinkSync(join(made.out, 'link')), 'a/deep')
    assert.equal(statSync(join(made.out, 'a.txt')).mode & 0o777, 0o640)
    assert.equal(statSync(join(made.out, 'twin')).ino, statSync(join(made.out, 'a.txt')).ino)
    // Node sets times as floating point numbers of seconds.
    const milliseconds = (path: string): number => Math.trunc(statSync(path).mtimeMs)
    assert.equal(milliseconds(join(made.out, 'a.txt')), milliseconds(join(made.path, 'a.txt')))
  })

  test('a directory that is replaced holds nothing else afterwards, and links in it are not followed', async () => {
    using made = tree()
    mkdirSync(join(made.out, 'old/deep'), { recursive: true })
    mkdirSync(join(made.out, 'a'))
    mkdirSync(join(made.out, 'twin/with/files'), { recursive: true })
    writeFileSync(join(made.out, 'a/old'), '')
    writeFileSync(join(made.out, 'a.txt'), 'older')
    symlinkSync(made.path, join(made.out, 'elsewhere'))
    const toSender = new MessageQueue<fsutil.Packet>()
    const target = { path: made.out, isReplaced: true }
    for await (const packet of receiveDirectory(target, sendDirectory(made.path, ALL, toSender))) toSender.push(packet)
    assert.deepEqual(paths(made.out, {}), paths(made.path, {}))
    assert.equal(readFileSync(join(made.out, 'a.txt'), 'utf8'), 'text')
  })

  test('names that are no UTF-8 arrive as they are', async () => {
    using made = tree()
    const [directory, file] = ['d\xe9', 'd\xe9/caf\xe9'].map((latin) =>
      Buffer.concat([Buffer.from(`${made.path}/a/`), Buffer.from(latin, 'latin1')]),
    )
    assert.ok(directory !== undefined && file !== undefined)
    mkdirSync(directory)
    writeFileSync(file, 'latin')
    const toSender = new MessageQueue<fsutil.Packet>()
    for await (const packet of receiveDirectory({ path: made.out }, sendDirectory(made.path, ALL, toSender))) toSender.push(packet)
    const arrived = Buffer.concat([Buffer.from(`${made.out}/a/`), Buffer.from('d\xe9/caf\xe9', 'latin1')])
    assert.equal(readFileSync(arrived, 'utf8'), 'latin')
  })

  test('a result that would lead out is refused', async () => {
    using made = tree()
    symlinkSync('..', join(made.path, 'root'))
    mkdirSync(made.out)
    for (const path of ['../x', 'a/../../x', '', 'root/x', 'root/out/x']) {
      const hostile = [create(fsutil.PacketSchema, { stat: { path: Buffer.from(path), mode: 0o644 } })]
      await assert.rejects(async () => {
        for await (const _ of receiveDirectory({ path: made.path }, asAsync(hostile))) assert.fail('nothing may be asked for')
      }, /invalid path in the result/)
    }
  })

  test('an error of the other side is told', async () => {
    using made = tree()
    const packets = asAsync([create(fsutil.PacketSchema, { type: fsutil.Packet_Type.ERROR, data: Buffer.from('disk broken') })])
    await assert.rejects(async () => {
      for await (const _ of sendDirectory(made.path, ALL, packets)) continue
    }, /disk broken/)
  })
})

async function* asAsync<T>(values: readonly T[]): AsyncGenerator<T> {
  yield* values
}
