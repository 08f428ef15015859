import assert from 'node:assert/strict'
import { tarEntry, writeTar, type WritableEntry } from '#archive'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  linkSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { extractTar } from './extract-tar.ts'
import { packPath } from './pack-path.ts'

describe('packPath and extractTar', () => {
  let root: string
  beforeEach(() => (root = mkdtempSync(join(tmpdir(), 'copy-'))))
  afterEach(() => rmSync(root, { recursive: true }))

  it('carry a tree over, links, modes and times included', async () => {
    const source = join(root, 'source')
    mkdirSync(join(source, 'sub'), { recursive: true })
    writeFileSync(join(source, 'sub', 'file'), 'content', { mode: 0o640 })
    linkSync(join(source, 'sub', 'file'), join(source, 'hard'))
    symlinkSync('sub/file', join(source, 'soft'))
    const target = join(root, 'target')
    mkdirSync(target)
    await extractTar(packPath(source, 'renamed'), target, undefined)
    const copy = join(target, 'renamed')
    assert.equal(readFileSync(join(copy, 'sub', 'file'), 'utf8'), 'content')
    assert.equal(lstatSync(join(copy, 'sub', 'file')).mode & 0o777, 0o640)
    assert.equal(lstatSync(join(copy, 'hard')).ino, lstatSync(join(copy, 'sub', 'file')).ino)
    assert.equal(readlinkSync(join(copy, 'soft')), 'sub/file')
    assert.equal(Math.trunc(lstatSync(copy).mtimeMs), Math.trunc(lstatSync(source).mtimeMs))
  })

  it('gives the root another name', async () => {
    await extractTar(writeTar([text('old', 'x')]), root, { from: 'old', to: 'new' })
    assert.equal(readFileSync(join(root, 'new'), 'utf8'), 'x')
  })

  function text(path: string, content: string): WritableEntry {
    return { entry: tarEntry({ path, size: content.length }), body: [Buffer.from(content)] }
  }

  it('writes nothing outside, whatever the archive says', async () => {
    const inside = join(root, 'inside')
    const outside = join(root, 'outside')
    const attacks: WritableEntry[][] = [
      [text('../outside', 'x')],
      [text('a/../../outside', 'x')],
      [{ entry: tarEntry({ path: 'link', type: 'symlink', linkPath: root }) }, text('link/outside', 'x')],
      [{ entry: tarEntry({ path: 'd', type: 'symlink', linkPath: '..' }) }, { entry: tarEntry({ path: 'd/outside', type: 'directory' }) }],
      [{ entry: tarEntry({ path: 'hard', type: 'hardlink', linkPath: '../secret' }) }],
    ]
    writeFileSync(join(root, 'secret'), 's')
    for (const entries of attacks) {
      mkdirSync(inside)
      await assert.rejects(extractTar(writeTar(entries), inside, undefined), /is outside of/)
      assert.equal(existsSync(outside), false)
      rmSync(inside, { recursive: true })
    }
  })

  it('replaces a link instead of writing through it', async () => {
    writeFileSync(join(root, 'secret'), 's')
    const inside = join(root, 'inside')
    mkdirSync(inside)
    await extractTar(
      writeTar([{ entry: tarEntry({ path: 'f', type: 'symlink', linkPath: '../secret' }) }, text('f', 'overwritten')]),
      inside,
      undefined,
    )
    assert.equal(readFileSync(join(root, 'secret'), 'utf8'), 's')
    assert.equal(readFileSync(join(inside, 'f'), 'utf8'), 'overwritten')
  })

  it('takes an absolute path for one below the directory', async () => {
    await extractTar(writeTar([text('/abs', 'x')]), root, undefined)
    assert.equal(readFileSync(join(root, 'abs'), 'utf8'), 'x')
  })

  it('refuses to put a file over a directory', async () => {
    mkdirSync(join(root, 'f'))
    await assert.rejects(extractTar(writeTar([text('f', 'x')]), root, undefined), /cannot overwrite directory/)
  })
})
