import type { ContentStore } from '#content'
import { decodeImageConfig, familiarString, MAX_CONFIG_SIZE } from '#oci'
import type { Digest } from '#oci'
import type { Snapshotter } from '#snapshots'
import type { ImageStore, TargetOwner } from './image-store.ts'
import type { ManifestGraph } from './manifest-graph.ts'
import type { ImageProblem } from './types.ts'

/** What rows of images and names say that is not so. `mend` forgets the least that lets the rest be right. */
export function checkImages(deps: {
  store: ImageStore
  content: ContentStore
  snapshotter: Snapshotter
  graph: ManifestGraph
}): ImageProblem[] {
  const { store } = deps
  const problems: ImageProblem[] = []
  const broken = new Set<Digest>()
  for (const id of store.ids()) {
    const text = imageFault(deps, id)
    if (text === undefined) continue
    broken.add(id)
    const names = store.references(id).map(familiarString)
    problems.push({ kind: 'image', object: id, text, lost: names.length > 0 ? names : [id], mend: () => forgetImage(store, id) })
  }
  for (const name of store.names()) {
    if (broken.has(name.image)) continue
    const object = familiarString(name.reference)
    if (!store.has(name.image)) {
      const mend = (): void => store.deleteReference(name.reference)
      problems.push({ kind: 'reference', object, text: `image ${name.image} is gone`, lost: [object], mend })
    }
  }
  for (const owner of store.targets()) {
    if (broken.has(owner.image) || !store.has(owner.image) || isTargetHere(deps, owner)) continue
    // The image itself is whole: it only is not what the registry calls by that digest any more.
    const object = owner.reference === undefined ? owner.image : familiarString(owner.reference)
    const mend = (): void => forgetTarget(store, owner)
    problems.push({ kind: 'reference', object, text: 'the manifest that it was pulled or loaded as is gone', lost: [object], mend })
  }
  return problems
}

/** What an image lacks to be one; undefined: nothing. Its config is read anew: what memory has may be gone from the disk. */
export function imageFault(
  { content, snapshotter, store }: Omit<Parameters<typeof checkImages>[0], 'graph'>,
  id: Digest,
): string | undefined {
  if (!content.has(id)) return 'its config is gone'
  try {
    decodeImageConfig(content.readAll(id, MAX_CONFIG_SIZE))
  } catch {
    return 'its config cannot be read'
  }
  const chain = store.row(id)?.chain
  return chain === undefined || snapshotter.has(chain) ? undefined : 'layers of it are gone'
}

/** Whether a name's manifest is here, with the way to it from its index. Asked of the disk: the graph remembers what it has seen. */
function isTargetHere({ content, graph }: Parameters<typeof checkImages>[0], { image, target }: TargetOwner): boolean {
  if (!content.has(target.digest)) return false
  return graph.leaves(target).some(({ manifest, descriptor }) => manifest?.config.digest === image && content.has(descriptor.digest))
}

/** The image and all its names. */
export function forgetImage(store: ImageStore, id: Digest): void {
  store.transaction(() => {
    for (const reference of store.references(id)) store.deleteReference(reference)
    store.deleteImage(id)
  })
}

function forgetTarget(store: ImageStore, { reference, image }: TargetOwner): void {
  store.transaction(() => {
    if (reference === undefined) {
      const row = store.row(image)
      if (row === undefined) return
      const { target: _, ...rest } = row
      return store.putImage(image, rest)
    }
    store.deleteReference(reference)
    // A name by digest means the target and nothing else.
    if (reference.digest === undefined) store.putReference(reference, image)
  })
}
