import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempDisposableSync, readdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { createFakeMounts, createFiles } from '#kernel'
import { createMemoryMetadata } from '#metadata'
import { digestOf } from '#oci'
import type { Digest } from '#oci'
import { createChainStore } from './chain-store.ts'
import { createInitLayerStore } from './init-layer-store.ts'
import type { InitLayerStore } from './init-layer-store.ts'
import { createLayerDirectories } from './layer-directories.ts'
import type { ChainId } from './types.ts'

interface Test extends Disposable {
  inits: InitLayerStore
  /** A chain whose topmost layer has these files. */
  chain(parent: ChainId | undefined, name: string, paths: readonly string[]): ChainId
  init(chain: ChainId): string
  /** Directories that were given up. */
  discarded: string[]
  reopen(bootId: string): InitLayerStore
}

function setUp(): Test {
  const temporary = mkdtempDisposableSync(join(tmpdir(), 'inits-'))
  const metadata = createMemoryMetadata()
  const files = createFiles()
  const discarded: string[] = []
  const trash = { discard: (path: string) => void discarded.push(path), empty: async () => {} }
  const directories = createLayerDirectories({ root: join(temporary.path, 'layers'), files, trash })
  const chains = createChainStore({ metadata })
  const index = { pathOf: (id: Digest) => join(temporary.path, id) }
  const mounts = createFakeMounts(({ upper }) => upper)
  const reopen = (bootId: string): InitLayerStore => createInitLayerStore({ metadata, files, mounts, directories, chains, index, bootId })
  const inits = reopen('boot')
  return {
    inits,
    reopen,
    discarded,
    chain(parent, name, paths) {
      const id = digestOf(name)
      mkdirSync(index.pathOf(id))
      for (const path of paths) {
        mkdirSync(join(index.pathOf(id), path, '..'), { recursive: true })
        writeFileSync(join(index.pathOf(id), path), '')
      }
      return chains.add(parent, id)
    },
    init: (chain) => inits.pathOver(chain, chains.layers(chain).map(index.pathOf)),
    [Symbol.dispose]: () => temporary.remove(),
  }
}

describe('InitLayerStore', () => {
  it('shares an init layer with chains whose further layers have nothing to do with mount points', () => {
    using test = setUp()
    const base = test.chain(undefined, 'base', ['bin/sh'])
    const made = test.init(base)
    assert.deepEqual(readdirSync(made).toSorted(), ['.dockerenv', 'dev', 'etc', 'proc', 'sys'])
    const first = test.chain(base, 'first', ['usr/x'])
    const second = test.chain(first, 'second', ['y'])
    assert.equal(test.init(second), made)
    assert.notEqual(test.init(test.chain(second, 'third', ['etc/passwd'])), made)
  })

  it('makes one where nothing below has one', () => {
    using test = setUp()
    const base = test.chain(undefined, 'base', ['bin/sh'])
    assert.notEqual(test.init(test.chain(base, 'first', ['x'])), test.init(base))
  })

  it('keeps a directory as long as a chain has it', () => {
    using test = setUp()
    const base = test.chain(undefined, 'base', ['bin/sh'])
    const top = test.chain(base, 'top', ['x'])
    const made = test.init(base)
    test.init(top)
    test.inits.retain(new Set([top]))()
    assert.deepEqual([test.discarded, existsSync(made)], [[], true])
    test.inits.forget(top)
    assert.deepEqual(test.discarded, [join(made, '..')])
  })

  it('shares nothing of another boot', () => {
    using test = setUp()
    const base = test.chain(undefined, 'base', ['bin/sh'])
    const made = test.init(base)
    const top = test.chain(base, 'top', ['x'])
    assert.notEqual(test.reopen('other').pathOver(top, ['/unused']), made)
  })
})
