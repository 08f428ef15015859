import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join, relative } from 'node:path'
import type { FsckRun } from './run.ts'

/** What belongs into the data root; `lost+found` where it is a file system of its own. */
const KNOWN = new Set(['build', 'content', 'layers', 'snapshots', 'containers', 'volumes', 'tmp', 'lost+found'])

/** Files and directories that nothing names. Directories of images and containers go; what may be a user's data is only told. */
export async function checkLeftovers(run: FsckRun): Promise<void> {
  const { content, snapshotter, paths } = run.deps
  run.progress('leftovers', 0, 1)
  // Rows of containers are written before their directories are made: the directories have to be read first.
  const directories = readdirSync(paths.containers)
  const containers = knownKeys(run, 'containers')
  const strays: [path: string, mend: () => void][] = [
    ...content.leftovers().map((path): [string, () => void] => [path, () => rmSync(path, { recursive: true, force: true })]),
    ...snapshotter.leftovers().map((path): [string, () => void] => [path, () => snapshotter.discard(path)]),
    ...directories
      .filter((name) => !containers.has(name))
      .map((name): [string, () => void] => [join(paths.containers, name), () => snapshotter.discard(join(paths.containers, name))]),
  ]
  for (const [path, mend] of strays) {
    await run.found({ kind: 'orphan', object: relative(paths.dataRoot, path), text: 'it belongs to nothing' }, mend)
  }
  await checkTrash(run)
  await checkUserData(run)
  run.progress('leftovers', 1, 1)
}

/** Records that can be read, and those that were set aside: their owners' files are kept. */
function knownKeys({ deps: { metadata } }: FsckRun, collection: 'containers' | 'volumes'): Set<string> {
  const keys = metadata.repository(collection).all()
  return new Set([...keys, ...metadata.damaged().filter((record) => record.collection === collection)].map(({ key }) => key))
}

/** Emptied in the background all the time; what cannot be deleted stays. */
async function checkTrash({ deps: { snapshotter, paths }, found }: FsckRun): Promise<void> {
  try {
    await snapshotter.settled()
  } catch (error) {
    const object = relative(paths.dataRoot, join(paths.temporary, 'trash'))
    await found({ kind: 'orphan', object, text: `it cannot be emptied: ${(error as Error).message}` })
  }
}

async function checkUserData(run: FsckRun): Promise<void> {
  const { paths } = run.deps
  const names = existsSync(paths.volumes) ? readdirSync(paths.volumes) : []
  const volumes = knownKeys(run, 'volumes')
  const strange = [
    ...names.filter((name) => !volumes.has(name)).map((name) => join(paths.volumes, name)),
    ...readdirSync(paths.dataRoot)
      .filter((name) => !KNOWN.has(name) && !name.startsWith('gantry.db'))
      .map((name) => join(paths.dataRoot, name)),
  ]
  for (const path of strange) {
    const text = 'nothing here knows it; it may be data of yours, so it stays'
    await run.found({ kind: 'orphan', severity: 'note', object: relative(paths.dataRoot, path), text })
  }
}
