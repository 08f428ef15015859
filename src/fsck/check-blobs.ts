import { statSync } from 'node:fs'
import { conflict } from '#errors'
import type { Digest } from '#oci'
import type { HashResult } from '#snapshots'
import { forEachOf } from './run.ts'
import type { FsckRun } from './run.ts'

/** Every blob against its digest. */
export async function checkBlobs(run: FsckRun): Promise<number> {
  const blobs = run.deps.content.list()
  const purposes = new Map(run.deps.snapshotter.layers().map(({ blob, diffId, recipe }) => [blob, { diffId, recipe: recipe === true }]))
  await forEachOf(run, 'blobs', blobs, async ({ digest }) => {
    const hashed = await hash(run, digest)
    if (hashed === undefined || hashed.digest === digest) return
    run.damagedBlobs.add(digest)
    const layer = purposes.get(digest)
    const consequence =
      layer === undefined
        ? 'what is made of it is lost'
        : layer.recipe
          ? 'its layer is saved and pushed from its files'
          : 'its layer is whole, but cannot be saved or pushed until it is pulled or loaded again'
    await run.found({ kind: 'blob-damaged', object: digest, text: `content has digest ${hashed.digest}; ${consequence}` }, () => {
      discard(run, digest, hashed)
      run.damagedBlobs.delete(digest)
    })
  })
  return blobs.length
}

/** Undefined when it was collected meanwhile. */
async function hash({ deps, signal }: FsckRun, digest: Digest): Promise<HashResult | undefined> {
  try {
    return await deps.jobs.run({ kind: 'hash', path: deps.content.path(digest) }, signal === undefined ? {} : { signal })
  } catch (error) {
    if (!deps.content.has(digest)) return undefined
    throw error
  }
}

/** In one turn of the event loop: a pull may have put a good blob in its place since it was read. */
function discard({ deps }: FsckRun, digest: Digest, { inode }: HashResult): void {
  const now = statSync(deps.content.path(digest), { bigint: true, throwIfNoEntry: false })
  if (now === undefined || now.ino !== inode) return
  if (!deps.content.discard(digest)) throw conflict('it is being used; try again later')
}
