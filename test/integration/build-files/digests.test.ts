/** Digests of what steps read. Needs root. */
import assert from 'node:assert/strict'
import { chmodSync, chownSync, cpSync, mkdirSync, renameSync, symlinkSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { describe, it } from 'node:test'
import { createFiles } from '#kernel'
import { SCRATCH } from '../../../src/build/graph/ref.ts'
import type { Ref } from '../../../src/build/graph/ref.ts'
import type { ContentSelection } from '../../../src/build/types.ts'
import { openWorld } from './world.ts'
import type { World } from './world.ts'

async function digest({ digests }: World, ref: Ref, selection: Partial<ContentSelection> = {}): Promise<string> {
  const whole = { path: '/', followLinks: true, wildcard: false, includePatterns: [], excludePatterns: [] }
  return await digests.digest(ref, { ...whole, ...selection }, new AbortController().signal)
}

function fill(path: string): void {
  mkdirSync(join(path, 'd/e'), { recursive: true })
  for (const name of ['a.txt', 'b.txt', 'd/f', 'd/e/g.md']) writeFileSync(join(path, name), `content of ${name}`)
  symlinkSync('a.txt', join(path, 'link'))
}

describe('digests', () => {
  it('are the same for the same content, wherever it is and whenever it was written', async () => {
    await using world = await openWorld()
    const sent = world.directory(fill)
    const again = world.directory((path) => {
      fill(path)
      utimesSync(join(path, 'a.txt'), 1, 1)
    })
    const layer = await world.base(fill)
    const first = await digest(world, sent)
    assert.match(first, /^sha256:[0-9a-f]{64}$/)
    assert.equal(await digest(world, again), first)
    assert.equal(await digest(world, layer), first)
    const selections = [{ path: '/d' }, { path: '/link' }, { path: '/*.txt', wildcard: true }, { includePatterns: ['**/*.md'] }]
    for (const selection of selections) assert.equal(await digest(world, sent, selection), await digest(world, layer, selection))
  })

  it('see every change that a copy would show', async () => {
    await using world = await openWorld()
    const seen = new Set([await digest(world, world.directory(fill))])
    const changes: ((path: string) => void)[] = [
      (path) => writeFileSync(join(path, 'a.txt'), 'content of A.txt'),
      (path) => chmodSync(join(path, 'a.txt'), 0o755),
      (path) => chownSync(join(path, 'd'), 1, 0),
      (path) => chownSync(join(path, 'd'), 0, 1),
      (path) => renameSync(join(path, 'a.txt'), join(path, 'c.txt')),
      (path) => renameSync(join(path, 'd/f'), join(path, 'd/e/f')),
      (path) => mkdirSync(join(path, 'empty')),
      (path) => unlinkSync(join(path, 'b.txt')),
      (path) => (unlinkSync(join(path, 'link')), symlinkSync('b.txt', join(path, 'link'))),
      (path) => createFiles().setXattr(join(path, 'a.txt'), 'user.note', Buffer.from('x')),
    ]
    for (const change of changes) {
      seen.add(
        await digest(
          world,
          world.directory((path) => {
            fill(path)
            change(path)
          }),
        ),
      )
    }
    assert.equal(seen.size, changes.length + 1)
  })

  it('are about what is selected, and nothing else', async () => {
    await using world = await openWorld()
    const before = world.directory(fill)
    const after = world.directory((path) => {
      fill(path)
      writeFileSync(join(path, 'd/f'), 'changed')
    })
    const same = async (selection: Partial<ContentSelection>): Promise<boolean> =>
      (await digest(world, before, selection)) === (await digest(world, after, selection))
    assert.equal(await same({}), false)
    assert.equal(await same({ path: '/d' }), false)
    assert.equal(await same({ path: '/d/*', wildcard: true }), false)
    assert.equal(await same({ path: '/a.txt' }), true)
    assert.equal(await same({ path: '/*.txt', wildcard: true }), true)
    assert.equal(await same({ excludePatterns: ['d/f'] }), true)
    assert.equal(await same({ includePatterns: ['**/*.md'] }), true)
    assert.equal(await same({ includePatterns: ['d'] }), false)
    assert.notEqual(
      await digest(world, before, { path: '/a*', wildcard: true }),
      await digest(world, before, { path: '/b*', wildcard: true }),
    )
  })

  it('follow links as copies do, and know what is not there', async () => {
    await using world = await openWorld()
    const secret = world.directory((path) => writeFileSync(join(path, 'key'), 'secret'))
    const from = world.directory((path) => {
      fill(path)
      symlinkSync(`${secret.path}/key`, join(path, 'out'))
      symlinkSync('/d', join(path, 'into'))
      symlinkSync('loop', join(path, 'loop'))
    })
    assert.equal(await digest(world, from, { path: '/link' }), await digest(world, from, { path: '/a.txt' }))
    assert.notEqual(await digest(world, from, { path: '/link', followLinks: false }), await digest(world, from, { path: '/a.txt' }))
    assert.equal(await digest(world, from, { path: '/into/f' }), await digest(world, from, { path: '/d/f' }))
    for (const path of ['/missing', '/out', '/a.txt/x']) {
      await assert.rejects(digest(world, from, { path }), (error: Error) => error.message.includes(path))
    }
    await assert.rejects(digest(world, from, { path: '/missing' }), { code: 'NOT_FOUND', message: '"/missing": not found' })
    await assert.rejects(digest(world, from, { path: '/loop' }), /too many levels/)
    await assert.rejects(digest(world, SCRATCH, { path: '/x' }), { code: 'NOT_FOUND' })
    const nothing = await digest(world, from, { path: '/*.none', wildcard: true })
    assert.equal(await digest(world, from, { path: '/*.nothing', wildcard: true }), nothing)
    await digest(world, SCRATCH)
  })

  it('are remembered as long as the files look the same', async () => {
    await using world = await openWorld()
    const sent = world.directory((path) => {
      for (let index = 0; index < 300; index++) writeFileSync(join(path, `f${index}`), `content ${index}`)
    })
    await setTimeout(30) // what was just written is not trusted
    const first = await digest(world, { ...sent, generation: 'one' })
    assert.equal(await digest(world, { ...sent, generation: 'one' }), first)
    assert.equal(await digest(world, { ...sent, generation: 'two' }), first)
    writeFileSync(join(sent.path, 'f7'), 'content X')
    const changed = await digest(world, { ...sent, generation: 'three' })
    assert.notEqual(changed, first)
    const copy = world.directory((path) => cpSync(sent.path, path, { recursive: true }))
    assert.equal(await digest(world, copy), changed)
  })
})
