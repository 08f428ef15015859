import { mkdtempDisposableSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createContentStore } from '#content'
import { layerTar, snapshotterContract } from '../../test/contract/snapshotter.ts'
import { createFakeSnapshotter } from './fake-snapshotter.ts'

snapshotterContract('createFakeSnapshotter', async () => {
  const directory = mkdtempDisposableSync(join(tmpdir(), 'snapshots-'))
  const content = createContentStore({ root: directory.path })
  const snapshotter = createFakeSnapshotter({ content })
  return {
    content,
    snapshotter,
    write: async (key, name, text) => snapshotter.write(key, { tar: await layerTar({ [name]: text }), size: text.length }),
    [Symbol.asyncDispose]: async () => directory.remove(),
  }
})
