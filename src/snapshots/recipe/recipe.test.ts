import assert from 'node:assert/strict'
import {
  chmodSync,
  mkdirSync,
  mkdtempDisposableSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { describe, it } from 'node:test'
import { tarEntry, writeTar } from '#archive'
import type { WritableEntry } from '#archive'
import { createFakeFiles } from '#kernel'
import { extractTree } from '../tree/extract-tree.ts'
import { readRecipe } from './read-recipe.ts'
import { writeRecipe } from './write-recipe.ts'

const file = (path: string, text: string | Buffer): WritableEntry => ({
  entry: tarEntry({ path, size: Buffer.byteLength(text) }),
  body: [Buffer.from(text)],
})

/** A layer unpacked from a tar, with its recipe. Descriptors are real, what needs root is not done. */
async function setUp(
  entries: WritableEntry[],
  trailer: Buffer = Buffer.alloc(0),
): Promise<
  Disposable & {
    directory: string
    recipe: string
    tar: Buffer
    referenced: number
    read: () => Promise<{ tar: Buffer; damaged: string[] }>
  }
> {
  const temporary = mkdtempDisposableSync(join(realpathSync(tmpdir()), 'recipe-'))
  const [directory, recipe] = [join(temporary.path, 'diff'), join(temporary.path, 'recipe')]
  mkdirSync(directory)
  const tar = Buffer.concat([await buffer(writeTar(entries)), trailer])
  const files = createFakeFiles()
  using root = files.openRoot(directory)
  const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }
  await extractTree(files, root.fd, pieces(tar, 1000), { whiteouts: 'overlay', owner })
  const referenced = await writeRecipe(files, pieces(tar, 777), directory, recipe)
  return {
    directory,
    recipe,
    tar,
    referenced,
    async read() {
      const damaged: string[] = []
      return { tar: await buffer(readRecipe(files, recipe, directory, (path) => damaged.push(path))), damaged }
    },
    [Symbol.dispose]: () => temporary.remove(),
  }
}

async function* pieces(bytes: Buffer, size: number): AsyncGenerator<Buffer, void, void> {
  for (let position = 0; position < bytes.length; position += size) yield bytes.subarray(position, position + size)
}

describe('writeRecipe', () => {
  it('describes a tar byte for byte, with data taken from the files', async () => {
    const large = Buffer.alloc(300_000, 'large ')
    using test = await setUp(
      [file('a', 'one'), file('d/large', large), file('bad\udcff', 'bytes'), file('empty', '')],
      Buffer.alloc(5000, 1),
    )
    assert.equal(test.referenced, 3 + large.length + 5)
    const { tar, damaged } = await test.read()
    assert.ok(tar.equals(test.tar))
    assert.deepEqual(damaged, [])
  })

  it('keeps the data of what is not among the files any more', async () => {
    using test = await setUp([
      file('twice', 'first'),
      file('twice', 'second'),
      file('gone/x', 'data'),
      file('gone', 'file'),
      file('.wh.y', 'marker'),
    ])
    assert.equal(test.referenced, 'second'.length + 'file'.length)
    assert.ok((await test.read()).tar.equals(test.tar))
  })

  it('follows links of the layer inside the layer, and keeps holes', async () => {
    const entries: WritableEntry[] = [
      { entry: tarEntry({ type: 'symlink', path: 'l', linkPath: '/real' }) },
      file('l/x', 'text'),
      { entry: tarEntry({ path: 'sparse', size: 1_000_000, sparse: [{ offset: 500_000, length: 3 }] }), body: [Buffer.from('abc')] },
    ]
    using test = await setUp(entries)
    assert.equal(test.referenced, 7)
    assert.ok((await test.read()).tar.equals(test.tar))
  })
})

describe('readRecipe', () => {
  it('names the files that were changed, cut short or deleted', async () => {
    using test = await setUp(['a', 'b', 'c', 'd'].map((name) => file(name, `text of ${name}`)))
    writeFileSync(join(test.directory, 'a'), 'TEXT of a')
    truncateSync(join(test.directory, 'b'), 3)
    rmSync(join(test.directory, 'c'))
    const { tar, damaged } = await test.read()
    assert.deepEqual(damaged, ['a', 'b', 'c'])
    assert.equal(tar.length, test.tar.length)
  })

  it('refuses a recipe that was cut short or changed', async () => {
    using test = await setUp([file('a', 'one')])
    const whole = readFileSync(test.recipe)
    chmodSync(test.recipe, 0o600)
    truncateSync(test.recipe, statSync(test.recipe).size - 5)
    await assert.rejects(test.read(), { code: 'DATA_LOSS' })
    whole[whole.length >> 1]! ^= 0xff
    writeFileSync(test.recipe, whole)
    await assert.rejects(test.read(), { code: 'DATA_LOSS' })
  })
})
