import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { tarEntry } from '#archive'
import type { TarEntry } from '#archive'
import { createExpectedTree } from './expected-tree.ts'
import type { ExpectedNode } from './expected-tree.ts'

const file = (path: string): TarEntry => tarEntry({ path })
const directory = (path: string): TarEntry => tarEntry({ path, type: 'directory' })
const link = (type: 'symlink' | 'hardlink', path: string, linkPath: string): TarEntry => tarEntry({ path, type, linkPath })

/** `path type` of every node, `!` behind an opaque directory. */
function treeOf(...entries: TarEntry[]): string[] {
  const tree = createExpectedTree()
  for (const entry of entries) tree.add(entry)
  const lines: string[] = []
  const visit = (node: ExpectedNode, path: string): void => {
    if (path !== '') lines.push(`${path} ${node.type}${node.opaque === true ? '!' : ''}`)
    for (const [name, child] of node.children ?? []) visit(child, path === '' ? name : `${path}/${name}`)
  }
  visit(tree.root, '')
  return lines
}

describe('createExpectedTree', () => {
  it('follows links inside the root, and makes what they point to', () => {
    assert.deepEqual(treeOf(link('symlink', 'l', '/a/../../b'), file('l/x')), ['l symlink', 'a directory', 'b directory', 'b/x file'])
  })

  it('lets a later entry take the place of an earlier one, except for directories', () => {
    assert.deepEqual(treeOf(directory('d'), file('d/x'), directory('d/')), ['d directory', 'd/x file'])
    assert.deepEqual(treeOf(file('d/x'), file('d')), ['d file'])
  })

  it('takes hard links as one node', () => {
    const tree = createExpectedTree()
    tree.add(file('a'))
    tree.add(link('hardlink', 'd/b', 'a'))
    assert.equal(tree.root.children?.get('d')?.children?.get('b'), tree.root.children?.get('a'))
  })

  it('reads markers as overlayfs has them', () => {
    assert.deepEqual(treeOf(file('.wh.gone'), file('d/.wh..wh..opq'), file('own'), file('.wh.own'), file('.wh..wh.plnk')), [
      'gone whiteout',
      'd directory!',
      'own file',
    ])
    assert.deepEqual(treeOf(file('.wh.d'), file('d/x')), ['d directory!', 'd/x file'])
    assert.deepEqual(treeOf(tarEntry({ path: 'c', type: 'character' })), ['c whiteout'])
  })

  it('refuses what cannot have been unpacked', () => {
    for (const entries of [
      [link('symlink', 'a', 'b'), link('symlink', 'b', 'a'), file('a/x')],
      [file('f'), file('f/x')],
      [link('hardlink', 'h', 'nothing')],
      [file('../x')],
    ]) {
      assert.throws(() => treeOf(...entries), { code: 'INVALID_ARGUMENT' })
    }
  })
})
