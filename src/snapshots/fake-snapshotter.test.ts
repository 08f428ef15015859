import { mkdtempDisposableSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createContentStore } from '#content'
import { snapshotterContract } from '../../test/contract/snapshotter.ts'
import { createFakeSnapshotter } from './fake-snapshotter.ts'

snapshotterContract('createFakeSnapshotter', async () => {
  const directory = mkdtempDisposableSync(join(tmpdir(), 'snapshots-'))
  const content = createContentStore({ root: directory.path })
  return { content, snapshotter: createFakeSnapshotter({ content }), [Symbol.asyncDispose]: async () => directory.remove() }
})
