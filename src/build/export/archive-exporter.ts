/**
 * `type=oci` and `type=docker`: an archive of the image as one file of the client, or with `tar=false` blobs for a layout that the client keeps. Source: moby/buildkit
 * exporter/oci/export.go.
 */

import { pipeline } from 'node:stream/promises'
import { batched } from '#archive'
import { invalidArgument } from '#errors'
import { archiveFiles, archiveTar } from '#images'
import type { ArchivedImage, ArchiveFormat } from '#images'
import { decodeImageConfig, fullString, MAX_CONFIG_SIZE } from '#oci'
import type { Descriptor, Reference } from '#oci'
import type { SolvedResult } from '../types.ts'
import { assembleImages } from './assemble-images.ts'
import type { AttributeReader } from './attributes.ts'
import { counted } from './counted.ts'
import { timeText } from './epoch.ts'
import { exportVertex } from './export-vertex.ts'
import { encodeDescriptor, parseNames } from './image-exporter.ts'
import { imageOptionsFor, readImageOptions } from './image-options.ts'
import type { WrittenImageOptions } from './image-options.ts'
import type { AssembledResult, Assembly, ExporterDeps, PreparedExport } from './types.ts'

interface ArchiveOptions {
  /** The client's id of the exporter. */
  id: string
  format: ArchiveFormat
  isTar: boolean
  names: Reference[]
  image: WrittenImageOptions
}

/** The store of the client that a layout goes to. Source: moby/buildkit client/solve.go. */
const LAYOUT_STORE = 'export'

export function prepareArchiveExport(
  deps: ExporterDeps,
  reader: AttributeReader,
  options: Readonly<Record<string, string>>,
  { id, type }: { id: string; type: ArchiveFormat },
): PreparedExport {
  const chosen: ArchiveOptions = {
    id,
    format: type,
    image: readImageOptions(reader, options, { ociTypes: type === 'oci' }),
    isTar: reader.boolean('tar') ?? true,
    names: parseNames(reader.take('name') ?? ''),
  }
  // What clients print of an archive that they load into another engine: for this one it means nothing.
  reader.take('prefer-image-digest')
  reader.end()
  const name = `exporting to ${type} image format`
  return {
    name,
    export: (result, context) =>
      exportVertex(context.progress, name, `${context.provenance.buildId} ${type} ${id}`, (vertex) =>
        exportArchive({ deps, context, vertex }, result, chosen),
      ),
  }
}

async function exportArchive(assembly: Assembly, result: SolvedResult, options: ArchiveOptions): Promise<Record<string, string>> {
  const { format, names } = options
  const image = imageOptionsFor(result, options.image)
  if (format === 'docker' && (result.multiPlatform || result.images.length > 1)) {
    throw invalidArgument('docker exporter does not currently support exporting manifest lists')
  }
  // What is wanted only where it costs nothing makes no index of an image that needs none: not all programs that read archives know them.
  const inlineAttestations = image.inlineAttestations ?? (result.multiPlatform || result.images.length > 1)
  const assembled = await assembleImages(assembly, result, { ...image, inlineAttestations, names, withManifest: true })
  const target = withTime(assembly, assembled, image.epoch)
  const answers = {
    'containerimage.config.digest': assembled.main.config,
    'containerimage.digest': target.digest,
    'containerimage.descriptor': encodeDescriptor(target),
    ...(names.length === 0 ? {} : { 'image.name': names.map(fullString).join(',') }),
  }
  if (options.isTar) await sendArchive(assembly, assembled, { ...options, target, answers })
  else await sendLayout(assembly, assembled)
  return answers
}

/** When the image was made, as `index.json` says it: not when it was exported, so that the archive is the same again. */
function withTime({ deps }: Assembly, { main, target }: AssembledResult, epoch: number | undefined): Descriptor {
  if (target === undefined) throw new TypeError('Cannot archive a result without manifest')
  const created = epoch === undefined ? decodeImageConfig(deps.content.readAll(main.config, MAX_CONFIG_SIZE)).created : timeText(epoch)
  return created === undefined ? target : { ...target, annotations: { ...target.annotations, 'org.opencontainers.image.created': created } }
}

async function sendArchive(
  { deps, context, vertex }: Assembly,
  { main, manifests, blobs }: AssembledResult,
  { id, format, names, target, answers }: ArchiveOptions & { target: Descriptor; answers: Readonly<Record<string, string>> },
): Promise<void> {
  const image: ArchivedImage = {
    names,
    descriptor: target,
    single: { config: main.config, layers: main.layers },
    isMade: false,
    blobs: [...blobs, ...manifests].map(({ digest, size }) => ({
      digest,
      size,
      open: () => deps.content.read(digest) as AsyncIterable<Buffer>,
    })),
  }
  await vertex.step('sending tarball', async (count) => {
    const file = await context.session.sendFile({ exporter: id, metadata: answers, signal: context.signal })
    await pipeline(counted(batched(archiveTar(archiveFiles([image], format))), count), file, { signal: context.signal })
  })
}

/** The client writes the layout's index itself, from the descriptor that it is told. */
async function sendLayout({ deps, context, vertex }: Assembly, { manifests, blobs }: AssembledResult): Promise<void> {
  const { session, signal } = context
  const store = session.store(LAYOUT_STORE)
  for (const { digest, size, mediaType } of [...blobs, ...manifests]) {
    if ((await store.size(digest)) !== undefined) continue
    await vertex.step(`copying ${digest}`, () => store.write(digest, size, deps.content.read(digest), { mediaType, signal }))
  }
}
