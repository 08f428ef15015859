import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { describe, it } from 'node:test'
import { buffer } from 'node:stream/consumers'
import { readTar } from './read-tar.ts'
import type { TarEntry } from './types.ts'
import { tarEntry, writeTar } from './write-tar.ts'
import type { WritableEntry } from './write-tar.ts'

async function archiveOf(...entries: WritableEntry[]): Promise<Buffer> {
  return await buffer(writeTar(entries))
}

async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes
}

const ENTRIES: Record<string, TarEntry> = {
  'a plain file': tarEntry({ path: 'file', mode: 0o4755, uid: 1000, gid: 100, mtime: 1_700_000_000_000_000_000n }),
  'a directory': tarEntry({ type: 'directory', path: 'directory/', mode: 0o1777 }),
  'a name that needs the prefix': tarEntry({ path: `${'a'.repeat(90)}/${'b'.repeat(90)}` }),
  'a name of 99 and one of 100 bytes': tarEntry({ path: 'n'.repeat(100) }),
  'a name that no prefix helps': tarEntry({ path: 'n'.repeat(101) }),
  'a long directory': tarEntry({ type: 'directory', path: `${'d'.repeat(101)}/` }),
  'a name in UTF-8': tarEntry({ path: 'ünïcödé' }),
  'a name that is not UTF-8': tarEntry({ path: 'bad\udcff\udc80' }),
  'a long link': tarEntry({ type: 'symlink', path: 'link', linkPath: '../'.repeat(60), mode: 0o777 }),
  'a hard link': tarEntry({ type: 'hardlink', path: 'hard', linkPath: 'file' }),
  'a device': tarEntry({ type: 'block', path: 'device', major: 259, minor: 65_536 }),
  'a fifo': tarEntry({ type: 'fifo', path: 'fifo' }),
  'large ids': tarEntry({ path: 'ids', uid: 4_294_967_294, gid: 2_097_152 }),
  nanoseconds: tarEntry({ path: 'time', mtime: 1_700_000_000_123_456_789n }),
  'a time before the epoch': tarEntry({ path: 'old', mtime: -1_500_000_000n }),
  'a time after 2242': tarEntry({ path: 'future', mtime: 9_000_000_000_000_000_000n }),
  'attributes with any bytes': tarEntry({
    path: 'xattrs',
    xattrs: new Map([
      ['security.capability', Buffer.from([0, 10, 61, 255])],
      ['user.empty', Buffer.alloc(0)],
    ]),
  }),
}

describe('encodeEntry', () => {
  for (const [name, entry] of Object.entries(ENTRIES)) {
    it(`writes ${name} so that it is read back the same`, async () => {
      const read: TarEntry[] = []
      for await (const item of readTar(once(await archiveOf({ entry })))) read.push(item.entry)
      assert.deepEqual(read, [entry])
    })

    it(`writes ${name} so that GNU tar can read it`, async () => {
      const tar = spawnSync('tar', ['--list', '--file=-'], { input: await archiveOf({ entry }) })
      assert.equal(tar.stderr.toString(), '')
      assert.equal(tar.status, 0)
    })
  }

  it('writes sizes over 8 GiB', async () => {
    const size = 9 * 1024 ** 3
    const entry = tarEntry({ path: 'huge', size, sparse: [{ offset: size - 4, length: 4 }] })
    const tar = spawnSync('tar', ['--list', '--verbose', '--file=-'], {
      input: await archiveOf({ entry, body: [Buffer.from('tail')] }),
      encoding: 'utf8',
    })
    assert.match(tar.stdout, new RegExp(` ${size} .* huge\n`))
  })

  it('gives equal bytes for equal entries whatever the order of attributes', async () => {
    const [a, b] = [Buffer.from('1'), Buffer.from('2')]
    const one = await archiveOf({
      entry: tarEntry({
        path: 'x',
        xattrs: new Map([
          ['user.a', a],
          ['user.b', b],
        ]),
      }),
    })
    const other = await archiveOf({
      entry: tarEntry({
        path: 'x',
        xattrs: new Map([
          ['user.b', b],
          ['user.a', a],
        ]),
      }),
    })
    assert.deepEqual(one, other)
  })
})

describe('writeTar', () => {
  it('refuses a body that is not as long as its entry says', async () => {
    await assert.rejects(archiveOf({ entry: tarEntry({ path: 'x', size: 3 }), body: [Buffer.from('four')] }), /4 bytes instead of 3/)
  })
})

describe('readTar', () => {
  it('fills holes and skips what the consumer leaves', async () => {
    const archive = await archiveOf(
      { entry: tarEntry({ path: 'skipped', size: 100_000 }), body: [Buffer.alloc(100_000, 1)] },
      { entry: tarEntry({ path: 'sparse', size: 300_000, sparse: [{ offset: 100_000, length: 3 }] }), body: [Buffer.from('abc')] },
    )
    const bodies = new Map<string, Buffer>()
    for await (const { entry, body } of readTar(once(archive))) if (entry.path === 'sparse') bodies.set(entry.path, await buffer(body))
    const expected = Buffer.alloc(300_000)
    expected.write('abc', 100_000)
    assert.deepEqual(bodies.get('sparse'), expected)
  })

  it('throws when the archive breaks off', async () => {
    const archive = await archiveOf({ entry: tarEntry({ path: 'x', size: 1000 }), body: [Buffer.alloc(1000)] })
    await assert.rejects(
      async () => {
        for await (const { body } of readTar(once(archive.subarray(0, 700)))) await buffer(body)
      },
      { message: 'unexpected EOF' },
    )
  })
})
