/** Layers put together and taken apart. Needs root. */
import assert from 'node:assert/strict'
import { lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { createFiles } from '#kernel'
import { OPAQUE_VALUE, OPAQUE_XATTR } from '#snapshots'
import { SCRATCH } from '../../../src/build/graph/ref.ts'
import type { LayerRef, Ref } from '../../../src/build/graph/ref.ts'
import { openWorld } from './world.ts'
import type { World } from './world.ts'

let steps = 0

/** A layer on top of `base`, written through overlayfs as a RUN step does. */
async function onTop({ storage: { snapshotter }, lease }: World, base: LayerRef, work: (root: string) => void): Promise<LayerRef> {
  const key = `top-${++steps}`
  await snapshotter.prepareStep(key, base.chain, { bare: true })
  {
    using mounted = snapshotter.mountStep(key)
    work(`${mounted.path}/`)
  }
  return { kind: 'layers', chain: await snapshotter.commitStep(key, lease) }
}

async function merge(world: World, ...inputs: Ref[]): Promise<LayerRef> {
  return (await world.run({ kind: 'merge' }, ...inputs))[0] ?? SCRATCH
}

async function diff(world: World, lower: Ref, upper: Ref): Promise<LayerRef> {
  return (await world.run({ kind: 'diff', lower: 0, upper: 1 }, lower, upper))[0] ?? SCRATCH
}

function write(root: string, contents: Record<string, string>): void {
  for (const [path, text] of Object.entries(contents)) {
    mkdirSync(join(root, path, '..'), { recursive: true })
    writeFileSync(join(root, path), text)
  }
}

/** What overlayfs does to each directory that it makes before Linux 5.14. */
function markOpaque(world: World, ref: LayerRef, directory: string): void {
  createFiles().setXattr(join(world.layers(ref).paths[0] ?? '', directory), OPAQUE_XATTR, OPAQUE_VALUE)
}

function list(world: World, ref: LayerRef): string[] {
  return world.view(ref, (root) => readdirSync(root, { recursive: true, encoding: 'utf8' }).sort())
}

describe('merge', () => {
  it('stacks the layers of its inputs, the last one highest, and copies none', async () => {
    await using world = await openWorld()
    const one = await world.base((path) => write(path, { 'd/a': 'one', 'd/both': 'one' }))
    const two = await world.base((path) => write(path, { 'd/b': 'two', 'd/both': 'two' }))
    const sent = world.directory((path) => write(path, { sent: 'x' }))
    const merged = await merge(world, one, SCRATCH, two, sent)
    assert.deepEqual(list(world, merged), ['d', 'd/a', 'd/b', 'd/both', 'sent'])
    assert.equal(
      world.view(merged, (root) => readFileSync(join(root, 'd/both'), 'utf8')),
      'two',
    )
    const { paths } = world.layers(merged)
    assert.deepEqual(
      paths.slice(1),
      [two, one].flatMap((input) => world.layers(input).paths),
    )
    assert.equal((await merge(world, SCRATCH, SCRATCH)).chain, undefined)
    assert.deepEqual(await merge(world, one), one)
  })

  it('shows all of an input that shares layers with one before', async () => {
    await using world = await openWorld()
    const base = await world.base((path) => write(path, { f: 'base' }))
    const changed = await onTop(world, base, (root) => write(root, { f: 'changed', g: 'x' }))
    const other = await onTop(world, base, (root) => write(root, { h: 'x' }))
    const merged = await merge(world, changed, other)
    assert.equal(
      world.view(merged, (root) => readFileSync(join(root, 'f'), 'utf8')),
      'base',
    )
    assert.deepEqual(list(world, merged), ['f', 'g', 'h'])
  })

  it('hides nothing in directories that were new in an input', async () => {
    await using world = await openWorld()
    const other = await world.base((path) => write(path, { 'opt/mine': 'x', old: 'x' }))
    const base = await world.base((path) => write(path, { a: '', old: 'x' }))
    const upper = await onTop(world, base, (root) => {
      write(root, { 'opt/tool/bin': 'x' })
      rmSync(join(root, 'old'))
    })
    markOpaque(world, upper, 'opt')
    const last = await onTop(world, upper, (root) => write(root, { b: '' }))
    const merged = await merge(world, other, last)
    assert.deepEqual(list(world, merged), ['a', 'b', 'opt', 'opt/mine', 'opt/tool', 'opt/tool/bin'])
    assert.equal(world.layers(merged).ids.at(-1), world.layers(last).ids.at(-1))
    assert.deepEqual(world.leftovers(), [])
  })
})

describe('diff', () => {
  it('is the layers in between where there are any', async () => {
    await using world = await openWorld()
    const base = await world.base((path) => write(path, { 'etc/a': 'a', 'etc/b': 'b' }))
    const upper = await onTop(world, await onTop(world, base, (root) => write(root, { 'etc/a': 'new' })), (root) =>
      rmSync(join(root, 'etc/b')),
    )
    const difference = await diff(world, base, upper)
    assert.deepEqual(world.layers(difference).ids, world.layers(upper).ids.slice(1))
    const other = await world.base((path) => write(path, { 'etc/b': 'other', 'etc/c': 'c' }))
    assert.deepEqual(list(world, await merge(world, other, difference)), ['etc', 'etc/a', 'etc/c'])
    assert.equal((await diff(world, base, base)).chain, undefined)
    assert.deepEqual(await diff(world, SCRATCH, upper), upper)
  })

  it('deletes of a directory that was made anew only what was in it', async () => {
    await using world = await openWorld()
    const base = await world.base((path) => write(path, { 'opt/old': 'x' }))
    const upper = await onTop(world, base, (root) => {
      rmSync(join(root, 'opt'), { recursive: true })
      write(root, { 'opt/new': 'x' })
    })
    const other = await world.base((path) => write(path, { 'opt/mine': 'x', 'opt/old': 'x' }))
    const difference = await diff(world, base, upper)
    assert.deepEqual(list(world, await merge(world, other, difference)), ['opt', 'opt/mine', 'opt/new'])
    assert.deepEqual(list(world, await merge(world, other, upper)), ['opt', 'opt/mine', 'opt/new'])
  })

  it('hides nothing in directories that were new where it was made', async () => {
    await using world = await openWorld()
    const base = await world.base((path) => write(path, { a: '' }))
    const upper = await onTop(world, base, (root) => write(root, { 'opt/tool/bin': 'x' }))
    markOpaque(world, upper, 'opt')
    const other = await world.base((path) => write(path, { 'opt/mine': 'x' }))
    const merged = await merge(world, other, await diff(world, base, upper))
    assert.deepEqual(list(world, merged), ['opt', 'opt/mine', 'opt/tool', 'opt/tool/bin'])
  })

  it('reads files whose times say nothing', async () => {
    await using world = await openWorld()
    const dated = async (text: string): Promise<LayerRef> =>
      await world.base((path) => {
        write(path, { f: text, same: 'x' })
        for (const name of ['f', 'same']) utimesSync(join(path, name), 0, 0)
      })
    const difference = await diff(world, await dated('one'), await dated('two'))
    assert.deepEqual(list(world, difference), ['f'])
  })

  it('compares trees that have nothing to do with each other', async () => {
    await using world = await openWorld()
    const lower = await world.base((path) => {
      write(path, {
        same: 'x',
        changed: 'old',
        gone: 'x',
        'd/gone': 'x',
        'd/same': 'x',
        'dir/f': '',
        type: 'file',
        touched: 'x',
        'lost/a/b': '',
      })
      symlinkSync('a', join(path, 'link'))
    })
    const upper = await world.base((path) => {
      write(path, { same: 'x', changed: 'new', 'd/same': 'x', 'd/new': 'x', dir: 'now a file', 'type/f': '', touched: 'x' })
      symlinkSync('b', join(path, 'link'))
      utimesSync(join(path, 'touched'), 1, 1)
      mkdirSync(join(path, 'empty'), { mode: 0o700 })
    })
    const difference = await diff(world, lower, upper)
    const [directory] = world.layers(difference).paths
    assert.ok(directory)
    const own = readdirSync(directory, { recursive: true, encoding: 'utf8' }).sort()
    assert.deepEqual(own, ['changed', 'd', 'd/gone', 'd/new', 'dir', 'empty', 'gone', 'link', 'lost', 'type', 'type/f'])
    assert.ok(['gone', 'd/gone', 'lost'].every((name) => lstatSync(join(directory, name)).isCharacterDevice()))
    const applied = await merge(world, lower, difference)
    assert.deepEqual(list(world, applied), list(world, upper))
    assert.equal(
      world.view(applied, (root) => readFileSync(join(root, 'changed'), 'utf8')),
      'new',
    )
    assert.equal(
      world.view(applied, (root) => lstatSync(join(root, 'empty')).mode & 0o777),
      0o700,
    )
    const emptied = await merge(world, lower, await diff(world, lower, SCRATCH))
    assert.deepEqual(list(world, emptied), [])
    assert.deepEqual(world.leftovers(), [])
  })
})
