import { conflict } from '#errors'
import { checkBlobs } from './check-blobs.ts'
import { checkDatabase } from './check-database.ts'
import { checkLayers } from './check-layers.ts'
import { checkLeftovers } from './check-leftovers.ts'
import { checkRecords } from './check-records.ts'
import { createRun } from './run.ts'
import type { FsckDeps } from './run.ts'
import type { Fsck, FsckReport, FsckOptions } from './types.ts'

/** {@link Fsck} over the services of a daemon that has restored them. */
export function createFsck(deps: FsckDeps): Fsck {
  let running = false

  async function run(options: FsckOptions): Promise<FsckReport> {
    const state = createRun(deps, options)
    await checkDatabase(state)
    const blobs = await checkBlobs(state)
    const layers = await checkLayers(state)
    const { images, containers } = await checkRecords(state)
    await checkLeftovers(state)
    const { findings, lost } = state
    return {
      findings,
      checked: { blobs, layers, images, containers },
      lost: [...lost].sort(),
      clean: findings.every(({ severity, outcome }) => severity === 'note' || outcome === 'repaired'),
    }
  }

  return {
    async run(options) {
      if (running) throw conflict('a check of the store is running already')
      running = true
      try {
        return await run(options)
      } finally {
        running = false
      }
    },
  }
}
