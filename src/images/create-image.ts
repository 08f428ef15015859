import type { ContentStore, Lease } from '#content'
import { chainIds, decodeImageConfig } from '#oci'
import type { Descriptor, Digest, ImageConfigFile, Reference } from '#oci'
import type { Snapshotter } from '#snapshots'
import type { ImageStore } from './image-store.ts'
import { giveName } from './name-image.ts'
import type { PublishImageEvent } from './types.ts'

/** A name to give. */
export interface NewName {
  reference: Reference
  /** The manifest or index that the image came as; its blob is stored. Undefined for an image made here. */
  target?: Descriptor
}

export interface NewImage {
  config: Digest
  parent: Digest | ''
  /** May be empty: the image is dangling then, or belongs to another name's target. */
  names: readonly NewName[]
  /** What an image without a name came as. */
  target?: Descriptor
  /** It belongs to the target of another one: nobody is told of it. */
  isVariant?: boolean
}

export interface CreateDeps {
  store: ImageStore
  content: ContentStore
  snapshotter: Snapshotter
  publish: PublishImageEvent
}

/** Stores a config made here and gives its digest, the id of the image to be. */
export async function storeConfig(content: ContentStore, config: ImageConfigFile, lease: Lease): Promise<Digest> {
  const bytes = Buffer.from(JSON.stringify(config))
  decodeImageConfig(bytes) // what we could not read back may not be written
  return (await content.ingest([bytes], { lease })).digest
}

/**
 * Enters images whose configs and layers are stored and stacked already; all together, so that a crash leaves all or none. One that is
 * there already only gets the names. The caller's lease ends afterwards: from here on the rows keep what they name. Without `event` nobody is told
 * anything: a pull has an event of its own, and Docker sends none for the names it gives.
 */
export async function createImages(
  deps: CreateDeps,
  images: readonly NewImage[],
  lease: Lease,
  event?: 'load' | 'import' | 'create',
): Promise<void> {
  const { store, publish } = deps
  await lease.durable()
  const tagged = store.transaction(() =>
    images.flatMap(({ config: id, parent, names, target }) => {
      if (!store.has(id)) {
        const config = store.config(id)
        const chains = chainIds(config.rootfs.diff_ids)
        const size = chains.reduce((sum, chain) => sum + deps.snapshotter.layer(chain).size, 0)
        const top = chains.at(-1)
        store.putImage(id, {
          ...(top === undefined ? {} : { chain: top }),
          size,
          parent: parent !== '' && store.has(parent) ? parent : '', // it may have been removed meanwhile
          lastTagged: 0,
          created: Date.parse(config.created ?? '') || 0,
          ...(target === undefined ? {} : { target }),
        })
      }
      return names.map(({ reference, target }) => giveName(store, id, reference, target))
    }),
  )
  if (event === undefined) return
  for (const { config: id, isVariant } of images)
    if (isVariant !== true) publish(event, id, { ...store.config(id).config?.Labels, name: id })
  for (const makeEvent of tagged) publish(...makeEvent())
}
