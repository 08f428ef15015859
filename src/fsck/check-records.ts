import { existsSync } from 'node:fs'
import type { FsckRun } from './run.ts'

/** Rows against each other and against what they name. */
export async function checkRecords(run: FsckRun): Promise<{ images: number; containers: number }> {
  run.progress('records', 0, 1)
  await checkChains(run)
  await checkInits(run)
  await checkImages(run)
  const containers = await checkContainers(run)
  await checkVolumes(run)
  run.progress('records', 1, 1)
  return { images: run.deps.metadata.repository('images').all().length, containers }
}

/** Forgetting one breaks those on top of it: again, until all that are left stand. */
async function checkChains(run: FsckRun): Promise<void> {
  const { snapshotter } = run.deps
  for (let broken = snapshotter.brokenChains(); broken.length > 0; broken = run.repair ? snapshotter.brokenChains() : []) {
    for (const { chain, lacks } of broken) {
      await run.found({ kind: 'chain-broken', object: chain, text: `it needs ${lacks}, which is gone` }, () =>
        snapshotter.forgetChain(chain),
      )
    }
  }
}

async function checkInits({ deps: { snapshotter }, found }: FsckRun): Promise<void> {
  for (const chain of snapshotter.brokenInits()) {
    const text = 'the directory with its mount points is gone; it is made anew for the next container'
    await found({ kind: 'layer-missing', object: `init layer of ${chain}`, text }, () => snapshotter.forgetInit(chain))
  }
}

async function checkImages(run: FsckRun): Promise<void> {
  for (const { kind, object, text, lost, mend } of run.deps.images.check()) {
    for (const name of lost) run.lost.add(name)
    const advice = kind === 'image' || lost.length > 0 ? `; pull or load ${lost.join(', ')} again` : ''
    await run.found({ kind: kind === 'image' ? 'image-broken' : 'reference-broken', object, text: text + advice }, mend)
  }
}

/** What is wrong with a container only its owner can decide: nothing is mended. */
async function checkContainers({ deps: { metadata, snapshotter }, found }: FsckRun): Promise<number> {
  const snapshots = new Map(snapshotter.snapshots().map((snapshot) => [snapshot.key, snapshot]))
  const rows = metadata.repository<{ phase: string }>('containers').all()
  for (const { key, value } of rows) {
    if (value.phase !== 'present') continue // being made
    const snapshot = snapshots.get(key)
    if (snapshot === undefined) {
      await found({ kind: 'container-broken', object: key, text: 'its writable layer is gone; remove the container' })
    } else if (!snapshot.isWhole) {
      await found({ kind: 'snapshot-broken', object: key, text: 'directories of its writable layer are gone; remove the container' })
    } else if (snapshot.parent !== undefined && !snapshotter.has(snapshot.parent)) {
      const text = 'layers of its image are gone; it can be started when the image has been pulled or loaded again'
      await found({ kind: 'container-broken', object: key, text })
    }
  }
  return rows.length
}

async function checkVolumes({ deps: { metadata }, found }: FsckRun): Promise<void> {
  for (const { key, value } of metadata.repository<{ mountpoint: string }>('volumes').all()) {
    if (existsSync(value.mountpoint)) continue
    await found({ kind: 'volume-broken', object: key, text: `${value.mountpoint} is gone, and the data in it; remove the volume` })
  }
}
