/** Single files, removals, archives and the way from action to action. Needs root. */
import assert from 'node:assert/strict'
import { chmodSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { tarEntry, writeTar } from '#archive'
import { buffer } from 'node:stream/consumers'
import { SCRATCH } from '../../../src/build/graph/ref.ts'
import type { Ref } from '../../../src/build/graph/ref.ts'
import type { FileAction } from '../../../src/build/graph/types.ts'
import { shell } from '../storage/tree-listing.ts'
import { COPY } from '../../../src/build/testing/sample-operations.ts'
import { openWorld } from './world.ts'
import type { World } from './world.ts'

const text = (content: string): Uint8Array => new TextEncoder().encode(content)

/** The result of actions one after the other on `base`. */
async function chain(world: World, base: Ref, ...actions: object[]): Promise<Awaited<ReturnType<World['copy']>>> {
  const linked = actions.map((action, index) => ({ input: index, output: index === actions.length - 1 ? 0 : -1, ...action }) as FileAction)
  const [result] = await world.run({ kind: 'file', actions: linked }, base)
  assert.ok(result)
  return result
}

describe('actions', () => {
  it('make files, directories and links with what they are told', async () => {
    await using world = await openWorld()
    const result = await chain(
      world,
      SCRATCH,
      { action: 'mkdir', path: '/a/b', mode: 0o700, makeParents: true, owner: { user: 5 }, timestamp: 1000 },
      { action: 'mkfile', path: '/a/b/f', mode: 0o640, data: text('hello'), owner: { user: 6, group: 7 }, timestamp: 2000 },
      { action: 'symlink', path: '/a/l', target: '../x', owner: { user: 8 }, timestamp: 3000 },
      { action: 'mkdir', path: '/a', mode: 0o777, makeParents: false },
    )
    assert.equal(world.layers(result).ids.length, 1)
    world.view(result, (root) => {
      const [directory, file, link] = ['a', 'a/b/f', 'a/l'].map((name) => lstatSync(join(root, name)))
      assert.deepEqual([directory?.mode, directory?.uid, directory?.gid], [0o40700, 5, 5])
      assert.deepEqual([file?.mode, file?.uid, file?.gid, file?.mtimeMs], [0o100640, 6, 7, 2000])
      assert.deepEqual([link?.uid, link?.mtimeMs, readlinkSync(join(root, 'a/l'))], [8, 3000, '../x'])
      assert.equal(readFileSync(join(root, 'a/b/f'), 'utf8'), 'hello')
    })
    assert.deepEqual(world.leftovers(), [])
  })

  it('write through links inside the root only, and say what is in the way', async () => {
    await using world = await openWorld()
    const outside = world.directory((path) => writeFileSync(join(path, 'f'), 'mine')).path
    const base = await world.base((path) => {
      symlinkSync(`${outside}/f`, join(path, 'file'))
      symlinkSync(outside, join(path, 'dir'))
      mkdirSync(join(path, outside), { recursive: true })
      writeFileSync(join(path, 'old'), 'old', { mode: 0o600 })
    })
    const data = text('evil')
    const result = await chain(
      world,
      base,
      { action: 'mkfile', path: '/file', mode: 0o644, data },
      { action: 'mkdir', path: '/dir/made', mode: 0o755, makeParents: true },
      { action: 'symlink', path: '/dir/link', target: 'x' },
      { action: 'mkfile', path: '/old', mode: 0o644, data },
    )
    assert.deepEqual(readdirSync(outside), ['f'])
    assert.equal(readFileSync(join(outside, 'f'), 'utf8'), 'mine')
    world.view(result, (root) => {
      assert.deepEqual(readdirSync(join(root, outside)).sort(), ['f', 'link', 'made'])
      assert.equal(lstatSync(join(root, 'old')).mode & 0o777, 0o600) // as with BuildKit
      assert.equal(readFileSync(join(root, 'old'), 'utf8'), 'evil')
    })
    await assert.rejects(chain(world, base, { action: 'mkfile', path: '/dir', mode: 0o644, data }), /open \/dir: is a directory/)
    await assert.rejects(chain(world, base, { action: 'mkfile', path: '/no/f', mode: 0o644, data }), /"\/no\/f": not found/)
    await assert.rejects(chain(world, base, { action: 'mkdir', path: '/old/x', mode: 0o755, makeParents: true }), /not a directory/)
    await assert.rejects(chain(world, base, { action: 'symlink', path: '/old', target: 'x' }), /file exists/)
    assert.deepEqual(world.leftovers(), [])
  })

  it('remove what is named, never what a link leads to', async () => {
    await using world = await openWorld()
    const outside = world.directory((path) => writeFileSync(join(path, 'f'), 'mine')).path
    const base = await world.base((path) => {
      mkdirSync(join(path, 'd/sub'), { recursive: true })
      for (const name of ['d/a.txt', 'd/b.txt', 'd/c', 'd/sub/x']) writeFileSync(join(path, name), '')
      symlinkSync(outside, join(path, 'link'))
    })
    const remove = { action: 'rm', allowNotFound: false, allowWildcard: false }
    const result = await chain(
      world,
      base,
      { ...remove, path: '/d/*.txt', allowWildcard: true },
      { ...remove, path: '/d/sub' },
      { ...remove, path: '/link' },
      { ...remove, path: '/none/x', allowNotFound: true },
    )
    world.view(result, (root) => {
      assert.deepEqual(readdirSync(root), ['d'])
      assert.deepEqual(readdirSync(join(root, 'd')), ['c'])
    })
    assert.ok(existsSync(join(outside, 'f')))
    await assert.rejects(chain(world, base, { ...remove, path: '/none' }), { code: 'NOT_FOUND', message: '"/none": not found' })
    await assert.rejects(chain(world, base, { ...remove, path: '/' }), /invalid empty path/)
    await assert.rejects(chain(world, base, { ...remove, path: '/link/f' }), /not found/)
    assert.ok(existsSync(join(outside, 'f')))
  })

  it('go on with what others have left, and give several results', async () => {
    await using world = await openWorld()
    const data = text('x')
    const [first, second] = await world.run({
      kind: 'file',
      actions: [
        { input: -1, output: -1, action: 'mkfile', path: '/a', mode: 0o644, data },
        { ...COPY, input: -1, output: 1, action: 'copy', from: 2, source: '/a', target: '/b' },
        { input: 0, output: 0, action: 'mkfile', path: '/c', mode: 0o644, data },
      ].map((action) => ({ ...action, ...('from' in action ? { from: 0 } : {}), input: action.input === 0 ? 0 : -1 })) as FileAction[],
    })
    assert.ok(first && second)
    world.view(first, (root) => assert.deepEqual(readdirSync(root), ['a', 'c']))
    world.view(second, (root) => assert.deepEqual(readdirSync(root), ['b']))
    assert.deepEqual(world.leftovers(), [])
  })

  it('refuse graphs that make no sense', async () => {
    await using world = await openWorld()
    const mkdir = { action: 'mkdir', path: '/a', mode: 0o755, makeParents: true } as const
    for (const [actions, message] of [
      [[{ ...mkdir, input: 0, output: 0 }], /loop from index 0/],
      [[{ ...mkdir, input: 7, output: 0 }], /invalid input index 7/],
      [[{ ...mkdir, input: -1, output: -1 }], /no outputs specified/],
      [[{ ...mkdir, input: -1, output: 1 }], /missing output index 0/],
      [
        [
          { ...mkdir, input: -1, output: 0 },
          { ...mkdir, input: -1, output: 0 },
        ],
        /duplicate output 0/,
      ],
    ] as const) {
      await assert.rejects(world.run({ kind: 'file', actions }), message)
    }
    assert.deepEqual(world.leftovers(), [])
  })
})

describe('archives', () => {
  it('are unpacked whatever they are compressed with, and other files are copied', async () => {
    await using world = await openWorld()
    const from = world.directory((path) => {
      mkdirSync(join(path, 'in/d'), { recursive: true })
      writeFileSync(join(path, 'in/d/f'), 'text')
      chmodSync(join(path, 'in/d/f'), 0o4751)
      shell(path, 'tar -C in --owner=3 --group=4 -cf plain .; gzip -k plain; bzip2 -k plain; xz -k plain; zstd -q plain -o plain.zst')
      writeFileSync(join(path, 'text.gz'), 'no archive')
      shell(path, 'printf hello | gzip > hello; : > empty; head -c 10000 /dev/zero > zeros; head -c 700 plain.gz > cut.gz')
    })
    for (const source of ['/plain', '/plain.gz', '/plain.bz2', '/plain.xz', '/plain.zst']) {
      const result = await world.copy(from, SCRATCH, { source, target: '/to/', unpack: true })
      world.view(result, (root) => {
        const { mode, uid, gid } = lstatSync(join(root, 'to/d/f'))
        assert.deepEqual([mode & 0o7777, uid, gid], [0o4751, 3, 4], source)
      })
    }
    const owned = await world.copy(from, SCRATCH, { source: '/plain', target: '/to', unpack: true, owner: { user: 9 } })
    world.view(owned, (root) => assert.deepEqual([lstatSync(join(root, 'to')).uid, lstatSync(join(root, 'to/d/f')).uid], [9, 9]))
    for (const source of ['/text.gz', '/hello', '/empty', '/zeros']) {
      const result = await world.copy(from, SCRATCH, { source, target: '/to/', unpack: true })
      world.view(result, (root) => assert.deepEqual(readdirSync(join(root, 'to')), [source.slice(1)]))
    }
    const packed = await world.copy(from, SCRATCH, { source: '/plain', target: '/to/' })
    world.view(packed, (root) => assert.deepEqual(readdirSync(join(root, 'to')), ['plain']))
    assert.deepEqual(world.leftovers(), [])
  })

  it('lead nowhere but inside the target', async () => {
    await using world = await openWorld()
    const outside = world.directory((path) => writeFileSync(join(path, 'passwd'), 'mine')).path
    const archive = async (...entries: Parameters<typeof tarEntry>[0][]): Promise<Buffer> =>
      await buffer(
        writeTar(
          entries.map((entry) => ({ entry: tarEntry({ ...entry, size: entry.type === undefined ? 4 : 0 }), body: [Buffer.from('evil')] })),
        ),
      )
    const archives: Record<string, Buffer> = {
      dots: await archive({ path: '../../../../passwd' }),
      through: await archive({ path: 'l', type: 'symlink', linkPath: outside }, { path: 'l/passwd' }),
      hard: await archive({ path: 'h', type: 'hardlink', linkPath: `${outside}/passwd` }),
      absolute: await archive({ path: `${outside}/passwd` }),
    }
    const from = world.directory((path) => {
      for (const [name, bytes] of Object.entries(archives)) writeFileSync(join(path, name), bytes)
    })
    const base = await world.base((path) => symlinkSync(outside, join(path, 'link')))
    const unpack = async (source: string, target: string): Promise<unknown> =>
      await world.copy(from, base, { source, target, unpack: true }).catch((error: Error) => error)
    for (const source of Object.keys(archives)) {
      for (const target of ['/to/', '/link/', '/../../link']) {
        await unpack(`/${source}`, target)
        assert.equal(readFileSync(join(outside, 'passwd'), 'utf8'), 'mine', `${source} ${target}`)
        assert.deepEqual(readdirSync(outside), ['passwd'])
      }
    }
    assert.match(String(await unpack('/dots', '/to/')), /outside/)
    assert.deepEqual(world.leftovers(), [])
  })
})
