import type { Readable } from 'node:stream'
import type { Lease } from '#content'
import { invalidArgument } from '#errors'
import { familiarString, hostPlatform, parseReference } from '#oci'
import type { Digest, Reference } from '#oci'
import type { Layer } from '#snapshots'
import { createImages } from '../create-image.ts'
import type { CreateDeps, NewImage } from '../create-image.ts'
import type { LoadOptions, ProgressMessage } from '../types.ts'
import { unpackImage } from '../unpack-image.ts'
import type { UnpackLayer } from '../unpack-image.ts'
import { readDockerArchive } from './docker-archive.ts'
import { readOciLayout } from './oci-layout.ts'
import { spoolArchive } from './spool-archive.ts'
import { createEarlyUnpacker } from './early-unpacker.ts'
import type { ArchivedImage, SpooledArchive } from './spool-archive.ts'

/** `docker load`: all images of the archive, or none. Returns their ids in the archive's order. */
export async function loadImages(deps: CreateDeps, archive: Readable, options: LoadOptions): Promise<Digest[]> {
  const stop = new AbortController()
  const signal = options.signal === undefined ? stop.signal : AbortSignal.any([options.signal, stop.signal])
  using lease = deps.content.lease()
  const early = createEarlyUnpacker(deps, lease, signal)
  try {
    const spooled = await spoolArchive(deps.content, archive, { lease, signal, stored: (blob) => early.offer(blob) })
    const archived = readImages(spooled)
    const unpack = createUnpacker(deps, lease, { ...options, signal })
    const images = await Promise.all(archived.map((image) => prepareImage(deps, image, lease, unpack)))
    await createImages(deps, images, lease, 'load')
    for (const { config, names } of images)
      for (const message of loadedMessages(
        config,
        names.map(({ reference }) => reference),
      ))
        options.report(message)
    return images.map(({ config }) => config)
  } finally {
    stop.abort()
    // The lease may not end while something is still being made under it.
    await early.settled()
  }
}

/** What Docker saves since 25 is both; its manifest.json has the names as `docker load` wants them. */
function readImages(archive: SpooledArchive): ArchivedImage[] {
  const isLayout = archive.find('manifest.json') === undefined && archive.find('index.json') !== undefined
  return isLayout ? readOciLayout(archive, hostPlatform()) : readDockerArchive(archive)
}

/** Checks one image of the archive and makes its layers. */
async function prepareImage(deps: CreateDeps, image: ArchivedImage, lease: Lease, unpack: UnpackLayer): Promise<NewImage> {
  const names = image.names.map(parseTaggedName)
  await unpackImage(deps, image, lease, unpack)
  return { config: image.config, parent: '', names: names.map((reference) => ({ reference })) }
}

function parseTaggedName(text: string): Reference {
  const name = parseReference(text)
  if (name.tag === undefined || name.digest !== undefined) throw invalidArgument(`invalid tag ${JSON.stringify(text)}`)
  return name
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
