import assert from 'node:assert/strict'
import { existsSync, lstatSync, mkdirSync, mkdtempDisposableSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { removeLinks, setTimes } from './checkout.ts'

/** A tree with a directory whose name is no UTF-8. */
function makeTree(): Disposable & { path: string; odd: (name: string) => Buffer } {
  const directory = mkdtempDisposableSync(join(tmpdir(), 'checkout-'))
  const odd = (name: string): Buffer => Buffer.concat([Buffer.from(`${directory.path}/d`), Buffer.of(0xff), Buffer.from(name)])
  mkdirSync(odd(''))
  writeFileSync(odd('/.git'), 'gitdir: /elsewhere\n')
  writeFileSync(odd('/file'), '')
  symlinkSync('/nowhere', odd('/link'))
  return { path: directory.path, odd, [Symbol.dispose]: () => directory.remove() }
}

test('removeLinks takes the files away that lead to repositories of submodules, whatever directories are called', async () => {
  using tree = makeTree()
  mkdirSync(join(tree.path, '.git'))
  await removeLinks(tree.path)
  assert.deepEqual([existsSync(tree.odd('/.git')), existsSync(tree.odd('/file')), existsSync(join(tree.path, '.git'))], [false, true, true])
})

test('setTimes sets those of everything, and follows no links', async () => {
  using tree = makeTree()
  await setTimes(tree.path, 77)
  const times = [tree.path, tree.odd(''), tree.odd('/file'), tree.odd('/link')].map((path) => lstatSync(path).mtimeMs)
  assert.deepEqual(times, [77_000, 77_000, 77_000, 77_000])
})
