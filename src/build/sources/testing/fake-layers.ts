import { closeSync, constants, mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createContentStore } from '#content'
import type { ContentStore, Lease } from '#content'
import { digestOf } from '#oci'
import type { LayerBuilder } from '../layer-builder.ts'

/** Layers as plain directories, and a content store. */
export interface FakeLayers extends Disposable {
  readonly content: ContentStore
  readonly lease: Lease
  readonly layers: LayerBuilder
  /** Of the layers that were built, in order. */
  readonly directories: string[]
  /** A new empty directory. */
  directory(): string
}

export function fakeLayers(): FakeLayers {
  const root = mkdtempSync(join(tmpdir(), 'layers-'))
  const content = createContentStore({ root: join(root, 'content') })
  const directories: string[] = []
  const directory = (): string => mkdtempSync(join(root, 'directory-'))
  return {
    content,
    lease: content.lease(),
    layers: {
      async build(_lease, write) {
        const path = directory()
        const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY)
        try {
          await write(fd)
        } finally {
          closeSync(fd)
        }
        directories.push(path)
        return { kind: 'layers', chain: digestOf(Buffer.from(path)) }
      },
    },
    directories,
    directory,
    [Symbol.dispose]: () => rmSync(root, { recursive: true }),
  }
}
