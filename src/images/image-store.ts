import type { ContentStore } from '#content'
import type { Metadata } from '#metadata'
import { decodeImageConfig, familiarString, fullString, MAX_CONFIG_SIZE, parseReference } from '#oci'
import type { Descriptor, Digest, ImageConfigFile, Reference } from '#oci'

/** What is kept of an image besides its config, which is a blob of the content store with the image's id as its digest. */
export interface ImageRow {
  /** Topmost layer. */
  chain?: Digest
  /** Bytes of all layers as unpacked. */
  size: number
  parent: Digest | ''
  lastTagged: number
  /** Milliseconds since the epoch, from the config; for sorting without decoding it. */
  created: number
  /** What the image came as, when it came without a name. */
  target?: Descriptor
}

interface ReferenceRow {
  image: Digest
  /** The manifest or index that the name was pulled, loaded or pushed as. Rows of Gantry before 0.2 and names of images made here have none. */
  target?: Descriptor
}

/** What brings an image and a target together: a name, or the image's own row. */
export interface TargetOwner {
  reference?: Reference
  image: Digest
  target: Descriptor
}

/** A name and what it means. */
export interface ImageName extends ReferenceRow {
  reference: Reference
}

/** Rows of images and names, with all of them in memory: every `create` and `ps` asks. */
export interface ImageStore {
  has(id: Digest): boolean
  row(id: Digest): ImageRow | undefined
  /** The decoded config of an image, also of one that is being made: the content store has it. */
  config(id: Digest): ImageConfigFile
  ids(): Digest[]
  children(id: Digest): Digest[]
  /** All names of an image: by full name, tags before digests. */
  references(id: Digest): Reference[]
  /** The same with what they mean. */
  namesOf(id: Digest): ImageName[]
  /** All names of all images. */
  names(): ImageName[]
  /** Everything that keeps content besides configs and layers. */
  targets(): TargetOwner[]
  /** What a name with tag or digest means. */
  find(reference: Reference): ImageName | undefined
  /** Names with this repository, by full name. */
  byName(domain: string, path: string): Reference[]
  putImage(id: Digest, row: ImageRow): void
  /** What an image without a name stands for. */
  setTarget(id: Digest, target: Descriptor): void
  deleteImage(id: Digest): void
  putReference(reference: Reference, image: Digest, target?: Descriptor): void
  deleteReference(reference: Reference): void
  /** All writes inside happen together or not at all, in memory too. */
  transaction<T>(change: () => T): T
}

export function createImageStore(deps: { metadata: Metadata; content: ContentStore }): ImageStore {
  const imageRows = deps.metadata.repository<ImageRow>('images')
  const referenceRows = deps.metadata.repository<ReferenceRow>('references')
  const configs = new Map<Digest, ImageConfigFile>()
  let images = new Map<Digest, ImageRow>()
  let names = new Map<string, ImageName>()
  readAll()

  function readAll(): void {
    images = new Map(imageRows.all().map(({ key, value }) => [key as Digest, value]))
    names = new Map(referenceRows.all().map(({ key, value }) => [key, { reference: parseReference(key), ...value }]))
  }

  /** A digest says more than a tag beside it: the tag is not looked at (as distribution/reference's store). */
  function keyOf(reference: Reference): string {
    const { tag: _, ...canonical } = reference
    return fullString(reference.digest === undefined ? reference : canonical)
  }

  function namesOf(id: Digest): ImageName[] {
    const found = [...names.values()].filter(({ image }) => image === id)
    return found.sort(
      ({ reference: a }, { reference: b }) =>
        Number(a.digest !== undefined) - Number(b.digest !== undefined) || compare(familiarString(a), familiarString(b)),
    )
  }

  function putImage(id: Digest, row: ImageRow): void {
    imageRows.put(id, row)
    images.set(id, row)
  }

  return {
    has: (id) => images.has(id),
    row: (id) => images.get(id),
    config(id) {
      const known = configs.get(id) ?? decodeImageConfig(deps.content.readAll(id, MAX_CONFIG_SIZE))
      // Of an image that is only being made nothing stays behind: it may never be one.
      if (images.has(id)) configs.set(id, known)
      return known
    },
    ids: () => [...images.keys()],
    children: (id) => [...images].filter(([, row]) => row.parent === id).map(([child]) => child),
    references: (id) => namesOf(id).map(({ reference }) => reference),
    namesOf,
    names: () => [...names.values()],
    targets() {
      const owners: TargetOwner[] = []
      for (const { reference, image, target } of names.values()) if (target !== undefined) owners.push({ reference, image, target })
      for (const [image, { target }] of images) if (target !== undefined) owners.push({ image, target })
      return owners
    },
    find: (reference) => names.get(keyOf(reference)),
    byName: (domain, path) =>
      [...names.values()]
        .map(({ reference }) => reference)
        .filter((reference) => reference.domain === domain && reference.path === path)
        .sort((a, b) => compare(fullString(a), fullString(b))),
    putImage,
    setTarget(id, target) {
      const row = images.get(id)
      if (row !== undefined) putImage(id, { ...row, target })
    },
    deleteImage(id) {
      imageRows.delete(id)
      images.delete(id)
      configs.delete(id)
    },
    putReference(reference, image, target) {
      const row: ReferenceRow = target === undefined ? { image } : { image, target }
      referenceRows.put(keyOf(reference), row)
      names.set(keyOf(reference), { reference, ...row })
    },
    deleteReference(reference) {
      referenceRows.delete(keyOf(reference))
      names.delete(keyOf(reference))
    },
    transaction(change) {
      try {
        return deps.metadata.transaction(change)
      } catch (error) {
        readAll()
        throw error
      }
    },
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
