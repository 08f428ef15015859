import { codeOf, conflict } from '#errors'
import { hexOf } from '#oci'
import type { Digest } from '#oci'
import type { Layer, LayerVerdict } from '#snapshots'
import { forEachOf } from './run.ts'
import type { FsckRun } from './run.ts'

/** Every file of every layer against its archive. */
export async function checkLayers(run: FsckRun): Promise<number> {
  const { snapshotter } = run.deps
  const layers = snapshotter.layers()
  const mounted = await run.deps.mounted()
  if (run.repair) snapshotter.release(mounted)
  await forEachOf(run, 'layers', layers, async (layer) => {
    const verdict = await verify(run, layer)
    if (verdict !== undefined) await judge(run, layer, verdict, mounted)
  })
  return layers.length
}

/** Undefined when it was collected meanwhile. */
async function verify({ deps, signal }: FsckRun, { diffId }: Layer): Promise<LayerVerdict | undefined> {
  try {
    return await deps.snapshotter.verify(diffId, signal === undefined ? {} : { signal })
  } catch (error) {
    if (codeOf(error) === 'NOT_FOUND' || deps.snapshotter.findLayer(diffId) === undefined) return undefined
    throw error
  }
}

async function judge(run: FsckRun, layer: Layer, { state, differences }: LayerVerdict, mounted: ReadonlySet<string>): Promise<void> {
  const { content, snapshotter } = run.deps
  const { diffId, blob } = layer
  if (state === 'whole') return
  if (state === 'unknown') {
    if (content.has(blob)) return // a damaged blob, which is a finding of its own
    const text = `layer ${diffId} cannot be checked, saved or pushed without it; ${again(run, diffId)}`
    await run.found({ kind: 'blob-missing', severity: 'note', object: blob, text })
    return
  }
  const kind = state === 'missing' ? 'layer-missing' : 'layer-damaged'
  const what = state === 'missing' ? 'its directory is gone' : differences.join(', ')
  const users = snapshotter.usersOf(diffId)
  const running = users.filter((key) => mounted.has(key))
  const containers = running.length === 0 ? '' : `; running containers go on with the old files: ${short(running)}`
  if (content.has(blob) && !run.damagedBlobs.has(blob)) {
    await run.found({ kind, object: diffId, text: what + containers }, () =>
      snapshotter.repair(diffId, { mounted, ...(run.signal === undefined ? {} : { signal: run.signal }) }),
    )
    return
  }
  for (const name of namesOf(run, diffId)) run.lost.add(name)
  await run.found({ kind, object: diffId, text: `${what}; there is no good blob to unpack it from again: ${again(run, diffId)}` }, () => {
    // Its files are the ground on which these containers stand; stopped ones stand again when the image is pulled again.
    if (state === 'damaged' && running.length > 0) throw conflict(`stop these containers first: ${short(running)}`)
    snapshotter.forget(diffId)
  })
}

function again(run: FsckRun, diffId: Digest): string {
  const names = namesOf(run, diffId)
  return names.length === 0 ? 'no image has it' : `pull or load ${names.join(', ')} again`
}

/** Names (or ids) of the images that have a layer; none when the list of images is itself broken. */
function namesOf({ deps }: FsckRun, diffId: Digest): string[] {
  const broken = new Set(deps.images.check().map(({ object }) => object))
  if (broken.size > 0) return []
  return deps.images
    .list({ all: true, filters: { reference: [], label: [], labelNot: [] } })
    .filter(({ config }) => config.rootfs.diff_ids.includes(diffId))
    .flatMap(({ id, repoTags }) => (repoTags.length > 0 ? repoTags : [`sha256:${hexOf(id).slice(0, 12)}`]))
}

function short(keys: readonly string[]): string {
  return keys.map((key) => key.slice(0, 12)).join(', ')
}
