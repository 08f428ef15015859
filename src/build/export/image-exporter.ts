/**
 * `type=moby` and `type=image`: the result becomes images of this engine, and is pushed where that is wanted. Source: moby/buildkit exporter/containerimage/export.go,
 * moby daemon/internal/builder-next/exporter.
 *
 * What the answers mean. `containerimage.config.digest` is always the image's id here (that of the image for this machine, of several): what `docker images`, `inspect`
 * and `--iidfile` say. `containerimage.digest` is the id, too, as with Docker's classic store, since compose compares it with what `inspect` says; only when the
 * image was pushed, it is the digest of the manifest or index in the registry, as buildx expects for `--push`. `containerimage.descriptor` describes that manifest
 * or index where there is one.
 */

import { invalidArgument } from '#errors'
import { familiarName, fullString, parseReference, withDefaultTag } from '#oci'
import type { Reference } from '#oci'
import type { SolvedResult } from '../types.ts'
import { assembleImages } from './assemble-images.ts'
import type { AttributeReader } from './attributes.ts'
import { exportVertex } from './export-vertex.ts'
import { imageOptionsFor, readImageOptions } from './image-options.ts'
import type { ImageOptions } from './image-options.ts'
import { pushResult } from './push-result.ts'
import type { AssembleOptions, AssembledResult, Assembly, ExporterDeps, PreparedExport } from './types.ts'

interface StoreOptions {
  /** `*`: what the frontend says. */
  names: string
  push: boolean
  pushByDigest: boolean
  insecure: boolean
  store: boolean
  nameCanonical: boolean
}

const NAME = 'exporting to image'

export function prepareImageExport(deps: ExporterDeps, reader: AttributeReader, options: Readonly<Record<string, string>>): PreparedExport {
  const image = readImageOptions(reader, options, { ociTypes: true })
  const store: StoreOptions = {
    names: reader.take('name') ?? '',
    push: reader.boolean('push') ?? false,
    pushByDigest: reader.boolean('push-by-digest') ?? false,
    insecure: reader.boolean('registry.insecure') ?? false,
    store: reader.boolean('store') ?? true,
    nameCanonical: reader.boolean('name-canonical') ?? false,
  }
  // Here an image without a name is dangling, whatever the prefix; layers are unpacked from the first.
  reader.take('load') // compose asks for what this exporter does anyway
  reader.take('dangling-name-prefix')
  reader.take('unpack')
  reader.end()
  if (store.names !== '*') parseNames(store.names)
  if ((store.push || store.pushByDigest) && store.names === '') throw invalidArgument('tag is needed when pushing to registry')
  return {
    name: NAME,
    export: (result, context) =>
      exportVertex(context.progress, NAME, `${context.provenance.buildId} image`, async (vertex) => {
        const names = parseNames(store.names === '*' ? text(result.metadata['image.name']) : store.names)
        return await exportImage({ deps, context, vertex }, result, imageOptionsFor(result, image), { ...store, names })
      }),
  }
}

type Chosen = Omit<StoreOptions, 'names'> & { names: Reference[] }

async function exportImage(assembly: Assembly, result: SolvedResult, image: ImageOptions, store: Chosen): Promise<Record<string, string>> {
  const { names, push, pushByDigest } = store
  const options = assembleOptions(result, image, store)
  const assembled = await assembleImages(assembly, result, options)
  const kept = pushByDigest ? [] : names
  if (store.store) await enter(assembly, assembled, kept, store)
  if (push || pushByDigest) await pushResult(assembly, assembled, names, store)
  return answersOf(assembled, { isPushed: push || pushByDigest, names })
}

/** A manifest costs compressing all layers: it is made when somebody needs it. Push makes one later, the same, for an image that has none. */
function assembleOptions(result: SolvedResult, image: ImageOptions, { names, push, pushByDigest, nameCanonical }: Chosen): AssembleOptions {
  const { provenance, annotations, compression } = image
  const isPushed = push || pushByDigest
  const inlineAttestations = image.inlineAttestations ?? (isPushed || result.multiPlatform)
  const isAttested = provenance !== undefined && (!provenance.inlineOnly || inlineAttestations)
  const withManifest =
    isPushed ||
    nameCanonical ||
    isAttested ||
    result.images.some(({ statements = [] }) => statements.length > 0) ||
    result.multiPlatform ||
    result.images.length > 1 ||
    annotations.length > 0 ||
    compression.isWritten
  return { ...image, inlineAttestations, withManifest, names }
}

async function enter(
  { deps, context, vertex }: Assembly,
  assembled: AssembledResult,
  names: Reference[],
  { nameCanonical }: Chosen,
): Promise<void> {
  const { main, images, target } = assembled
  const canonical = nameCanonical && target !== undefined ? names.map(({ domain, path }) => ({ domain, path, digest: target.digest })) : []
  const entered = async (): Promise<void> => {
    await deps.images.enter({
      config: main.config,
      names: [...names, ...canonical],
      variants: images.map(({ config }) => config),
      lease: context.lease,
      ...(target === undefined ? {} : { target: { mediaType: target.mediaType, digest: target.digest, size: target.size } }),
    })
  }
  // All names are given at once; each is shown.
  const [first, ...rest] = names
  if (first === undefined) return await entered()
  await vertex.step(`naming to ${fullString(first)}`, entered)
  for (const name of rest) await vertex.step(`naming to ${fullString(name)}`, async () => {})
}

function answersOf(
  { main, target }: AssembledResult,
  { isPushed, names }: { isPushed: boolean; names: readonly Reference[] },
): Record<string, string> {
  return {
    'containerimage.config.digest': main.config,
    'containerimage.digest': isPushed && target !== undefined ? target.digest : main.config,
    ...(target === undefined ? {} : { 'containerimage.descriptor': encodeDescriptor(target) }),
    ...(names.length === 0 ? {} : { 'image.name': names.map(fullString).join(',') }),
  }
}

export function encodeDescriptor(target: object): string {
  return Buffer.from(JSON.stringify(target)).toString('base64')
}

/** Full names with tags. Throws INVALID_ARGUMENT. */
export function parseNames(written: string): Reference[] {
  const names = written.split(',').flatMap((name) => (name.trim() === '' ? [] : [parseName(name.trim())]))
  return [...new Map(names.map((name) => [fullString(name), name])).values()]
}

function parseName(written: string): Reference {
  const name = parseReference(written)
  if (name.digest !== undefined) throw invalidArgument(`failed to parse ${written}: a name with a digest cannot be given`)
  // It could not be told from an id afterwards.
  if (familiarName(name) === 'sha256') throw invalidArgument('refusing to create an ambiguous tag using digest algorithm as name')
  return withDefaultTag(name)
}

function text(bytes: Uint8Array | undefined): string {
  return bytes === undefined ? '' : Buffer.from(bytes).toString()
}
