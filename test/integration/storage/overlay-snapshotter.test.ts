import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { snapshotterContract } from '../../contract/snapshotter.ts'
import { openStorage } from './storage.ts'

snapshotterContract('createOverlaySnapshotter', async () => {
  const storage = await openStorage()
  const write = (key: string, name: string, text: string): void => {
    using step = storage.snapshotter.mountStep(key)
    writeFileSync(join(step.path, name), text)
  }
  return Object.assign(storage, { write })
})
