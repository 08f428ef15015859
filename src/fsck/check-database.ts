import type { FsckRun } from './run.ts'

/** Collections whose records the daemon makes anew by itself, or from the image when it is pulled again. */
const CONSEQUENCES: Readonly<Record<string, string>> = {
  containers: 'the container is lost; its files are kept until the record is removed',
  volumes: 'the volume is not listed any more; its files are where they were',
  images: 'the image has to be pulled or loaded again',
  references: 'the image has to be pulled or loaded again',
  layers: 'images that have the layer have to be pulled or loaded again',
  chains: 'images that have the layer have to be pulled or loaded again',
  snapshots: 'the container that it belongs to is lost',
}

export async function checkDatabase(run: FsckRun): Promise<void> {
  const { metadata } = run.deps
  run.progress('database', 0, 1)
  for (const text of metadata.integrity()) {
    await run.found({ kind: 'database-damaged', object: 'gantry.db', text: `${text}; restore the file from a backup` })
  }
  for (const record of metadata.damaged()) {
    const { collection, key } = record
    const consequence = CONSEQUENCES[collection]
    if (collection === 'references') run.lost.add(key)
    await run.found(
      {
        kind: 'record-damaged',
        object: `${collection}/${key}`,
        text: `the record cannot be read${consequence === undefined ? '' : `: ${consequence}`}`,
      },
      () => metadata.forgetDamaged(record),
    )
  }
  run.progress('database', 1, 1)
}
