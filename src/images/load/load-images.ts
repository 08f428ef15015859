import type { Readable } from 'node:stream'
import type { Lease } from '#content'
import { invalidArgument, notFound } from '#errors'
import { familiarString, formatPlatform, fullString, parseReference, platformMatches, withDefaultTag } from '#oci'
import type { Digest, Platform, Reference } from '#oci'
import type { Layer } from '#snapshots'
import { createImages } from '../create-image.ts'
import type { CreateDeps, NewImage } from '../create-image.ts'
import type { LoadOptions, ProgressMessage } from '../types.ts'
import { unpackImage } from '../unpack-image.ts'
import type { UnpackLayer } from '../unpack-image.ts'
import type { ArchivedImage } from './archived-image.ts'
import { createEarlyUnpacker } from './early-unpacker.ts'
import { readImages, unwantedOf } from './read-images.ts'
import { spoolArchive } from './spool-archive.ts'

export interface LoadedImages {
  /** Ids in the archive's order, each once. */
  images: Digest[]
  /** Manifests of the archive for platforms that were not asked for. */
  unwanted: Set<Digest>
}

/** `docker load`: all images of the archive, or none. */
export async function loadImages(deps: CreateDeps, archive: Readable, options: LoadOptions): Promise<LoadedImages> {
  const stop = new AbortController()
  const signal = options.signal === undefined ? stop.signal : AbortSignal.any([options.signal, stop.signal])
  using lease = deps.content.lease()
  const early = createEarlyUnpacker(deps, lease, signal)
  try {
    const spooled = await spoolArchive(deps.content, archive, { lease, signal, incoming: (file) => early.offer(file) })
    // What is still being unpacked would be unpacked twice.
    await early.settled()
    const archived = readImages(spooled, options.platforms ?? [])
    const named = archived.map((image) => ({ image, names: parseNames(image) }))
    for (const { target, config } of archived) if (target === undefined) checkPlatform(deps, config, options.platforms ?? [])
    const unpack = createUnpacker(deps, lease, { ...options, signal })
    await Promise.all(archived.flatMap((image) => [image, ...image.variants]).map((manifest) => unpackImage(deps, manifest, lease, unpack)))
    await createImages(
      deps,
      named.flatMap(({ image, names }) => newImages(image, names)),
      lease,
      'load',
    )
    for (const { image, names } of named) for (const message of loadedMessages(image.config, names)) options.report(message)
    return { images: [...new Set(archived.map(({ config }) => config))], unwanted: unwantedOf(archived) }
  } finally {
    stop.abort()
    // The lease may not end while something is still being made under it.
    await early.settled()
  }
}

/** Of an image that has one platform only. */
function checkPlatform({ store }: CreateDeps, id: Digest, platforms: readonly Platform[]): void {
  const missing = platforms.find((platform) => !platformMatches(platform, store.config(id)))
  if (missing !== undefined) throw notFound(`requested platform (${formatPlatform(missing)}) not found`)
}

/** The image, and its other platforms, which belong to its names. */
function newImages({ config, target, variants }: ArchivedImage, names: readonly Reference[]): NewImage[] {
  const as = target === undefined ? {} : { target }
  const main = { config, parent: '', names: names.map((reference) => ({ reference, ...as })), ...(names.length === 0 ? as : {}) } as const
  return [main, ...variants.map((variant) => ({ config: variant.config, parent: '', names: [] }) as const)]
}

/** Each once. In a layout a tag may be missing, as containerd takes it. */
function parseNames({ names, target }: ArchivedImage): Reference[] {
  const parsed = names.map((text) => {
    const name = target === undefined ? parseReference(text) : withDefaultTag(parseReference(text))
    if (name.tag === undefined || name.digest !== undefined) throw invalidArgument(`invalid tag ${JSON.stringify(text)}`)
    return name
  })
  return [...new Map(parsed.map((name) => [fullString(name), name])).values()]
}

/** Unpacks each layer once, with progress for the client unless it wants none. */
function createUnpacker({ snapshotter, content }: CreateDeps, lease: Lease, { quiet, report, signal }: LoadOptions): UnpackLayer {
  const layers = new Map<Digest, Promise<Layer>>()

  async function start(blob: Digest, diffId: Digest): Promise<Layer> {
    const total = content.size(blob)
    const show = (current: number): void => {
      if (!quiet)
        report({ id: diffId.slice('sha256:'.length, 'sha256:'.length + 12), status: 'Loading layer', progress: { current, total } })
    }
    const layer = await snapshotter.unpack(blob, { lease, diffId, progress: show, ...(signal === undefined ? {} : { signal }) })
    show(total)
    return layer
  }

  return async (blob, diffId) => {
    const layer = layers.get(diffId) ?? start(blob, diffId)
    layers.set(diffId, layer)
    return await layer
  }
}

/** Docker's words, which clients parse for the names. */
function loadedMessages(id: Digest, names: readonly Reference[]): ProgressMessage[] {
  if (names.length === 0) return [{ stream: `Loaded image ID: ${id}\n` }]
  return names.map((name) => ({ stream: `Loaded image: ${familiarString(name)}\n` }))
}
