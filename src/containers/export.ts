import { Readable } from 'node:stream'
import { conflict } from '#errors'
import { packTree } from '#snapshots'
import type { Context } from './context.ts'
import { publishEvent } from './publish-event.ts'

/**
 * `docker export`: image layers and the container's own as one tar; what is mounted (volumes, /proc) is left out. Running or not, the layers are
 * mounted once more for reading, so the container sees nothing of it. Read the stream to its end or destroy it: the mount goes with it.
 * Throws CONFLICT for a container on its way out.
 */
export async function exportContainer({ store, deps }: Context, ref: string): Promise<Readable> {
  const { record } = store.find(ref)
  if (record.state.status === 'dead') throw conflict(`You cannot export container ${record.id} which is Dead`)
  if (record.state.status === 'removing') throw conflict(`You cannot export container ${record.id} which is being removed`)
  using undo = new DisposableStack()
  const view = undo.use(deps.snapshotter.view({ key: record.id }))
  // The path itself is a link below /proc; with the dot it is the directory.
  const tar = Readable.from(packTree(deps.files, `${view.path}/.`, { whiteouts: 'none' }), { objectMode: false })
  const resources = undo.move()
  tar.once('close', () => resources.dispose())
  publishEvent({ deps }, record, 'export')
  return tar
}
