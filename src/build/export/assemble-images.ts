/** From file systems that are solved to images that are stored: layers, configs, and where they are needed manifests, attestations and an index. */

import type { Lease } from '#content'
import { inParallel } from '#lib'
import { decodeImageConfig, hostPlatform, platformMatches } from '#oci'
import type { Descriptor, Digest, ImageConfigFile, Platform, Reference } from '#oci'
import type { LayerBlob } from '#images'
import { imagePurl } from '../sources/image/image-purl.ts'
import type { BuildImage, ExportContext, SolvedResult } from '../types.ts'
import { annotationsFor, checkAnnotations } from './annotations.ts'
import { inlineCacheOf } from './cache/inline-cache.ts'
import { completeConfig, emptyConfig } from './complete-config.ts'
import type { LayerFacts } from './complete-config.ts'
import type { ExportVertex } from './export-vertex.ts'
import { markEmptySteps } from './history-layers.ts'
import type { ImageOptions } from './image-options.ts'
import { makeIndex, makeManifest } from './make-manifests.ts'
import type { Document } from './make-manifests.ts'
import { makeAttestation } from './provenance/attestation-manifest.ts'
import { provenanceOf } from './provenance/provenance.ts'
import { sealResult } from './seal-result.ts'
import type { SealedResult } from './seal-result.ts'
import type { ExporterDeps } from './types.ts'

/** An image whose config and layers are stored. */
export interface AssembledImage {
  platform: Platform
  /** Digest of the config: the id of the image. */
  config: Digest
  configSize: number
  sealed: SealedResult
  /** Only where manifests are made. */
  layers: LayerBlob[]
  manifest: Descriptor | undefined
}

export interface AssembledResult {
  /** The one for this machine, else the first: what names stand for. */
  main: AssembledImage
  images: AssembledImage[]
  /** Manifest or index of all; undefined where none was to be made. */
  target: Descriptor | undefined
  /** Each after those it lists; the target is the last. */
  manifests: Descriptor[]
  /** All that manifests name besides manifests, each once. */
  blobs: Descriptor[]
}

export interface AssembleOptions extends ImageOptions {
  /** Manifests are made and layers compressed; always for several platforms, and where attestations have to be part of the image. */
  withManifest: boolean
  /** For attestations. */
  names: readonly Reference[]
}

export interface Assembly {
  deps: ExporterDeps
  context: ExportContext
  vertex: ExportVertex
}

export async function assembleImages(assembly: Assembly, result: SolvedResult, options: AssembleOptions): Promise<AssembledResult> {
  const built = result.images.length === 0 ? [EMPTY_IMAGE] : result.images
  checkAnnotations(
    options.annotations,
    built.map(({ image }) => image.platform),
  )
  const sealed = await assembly.vertex.step('exporting layers', (count) => exportLayers(assembly, built, options, count))
  const images: AssembledImage[] = []
  const documents: Document[] = []
  for (const [index, { image }] of built.entries()) {
    const layers = sealed[index]
    if (layers === undefined) continue
    const assembled = await exportConfig(assembly, image, layers, options)
    const document = options.withManifest ? manifestOf(assembled, options) : undefined
    if (document !== undefined) documents.push(document)
    images.push({ ...assembled, manifest: document?.descriptor })
  }
  const main = images.find(({ platform }) => platformMatches(hostPlatform(), platform)) ?? images[0]
  if (main === undefined) throw new TypeError('Cannot assemble a result without images')
  if (!options.withManifest) return { main, images, target: undefined, manifests: [], blobs: [] }
  return await exportManifests(assembly, { main, images }, documents, { ...options, isIndex: result.multiPlatform || images.length > 1 })
}

/** `FROM scratch` without steps may have no file system at all. */
const EMPTY_IMAGE: SolvedResult['images'][number] = {
  image: { id: '', platform: hostPlatform(), edge: undefined },
  ref: { kind: 'layers', chain: undefined },
}

interface ExportedLayers {
  sealed: SealedResult
  blobs: LayerBlob[]
}

async function exportLayers(
  { deps, context }: Assembly,
  built: SolvedResult['images'],
  options: AssembleOptions,
  count: (bytes: number) => void,
): Promise<ExportedLayers[]> {
  const { lease } = context
  const sealed: ExportedLayers[] = []
  for (const { ref } of built) {
    const rewrite = options.rewriteTimestamp && options.epoch !== undefined ? { rewriteTimestamp: options.epoch } : {}
    sealed.push({ sealed: await sealResult(deps, ref, { lease, signal: context.signal, progress: count, ...rewrite }), blobs: [] })
  }
  if (options.withManifest) for (const layers of sealed) layers.blobs = await compressLayers(deps, layers.sealed, options, context)
  return sealed
}

async function compressLayers(
  { images }: ExporterDeps,
  { chains }: SealedResult,
  { compression }: Pick<ImageOptions, 'compression'>,
  { lease, signal }: { lease: Lease; signal: AbortSignal },
): Promise<LayerBlob[]> {
  const blobs = new Map<Digest, LayerBlob>()
  await inParallel(chains, signal, async (chain, stop) => {
    const { type, level, force } = compression
    blobs.set(
      chain,
      await images.layerBlob({ chain, compression: type, force, lease, signal: stop, ...(level === undefined ? {} : { level }) }),
    )
  })
  return chains.flatMap((chain) => blobs.get(chain) ?? [])
}

async function exportConfig(
  { deps, context, vertex }: Assembly,
  image: BuildImage,
  { sealed, blobs }: ExportedLayers,
  options: AssembleOptions,
): Promise<Omit<AssembledImage, 'manifest'>> {
  const file = configOf(deps, context, image, sealed, options)
  const bytes = Buffer.from(JSON.stringify(file))
  decodeImageConfig(bytes) // what we could not read back may not be written
  const { digest, size } = await deps.content.ingest([bytes], { lease: context.lease })
  await vertex.step(`${options.withManifest ? 'exporting config' : 'writing image'} ${digest}`, async () => {})
  return { platform: image.platform, config: digest, configSize: size, sealed, layers: blobs }
}

function configOf(
  { snapshotter }: ExporterDeps,
  { steps, inlineCache }: ExportContext,
  image: BuildImage,
  { diffIds, built }: SealedResult,
  { epoch }: ImageOptions,
): ImageConfigFile {
  const file = image.config ?? emptyConfig(image.platform)
  const history = markEmptySteps(file.history ?? [], image.edge, ({ vertex, output }) => {
    const step = steps.find((candidate) => candidate.vertex === vertex.id && candidate.output === output)
    if (step === undefined || (step.chain !== undefined && !snapshotter.has(step.chain))) return undefined
    return step.chain === undefined ? 0 : snapshotter.layersOf(step.chain).length
  })
  const layers = diffIds.map((diffId, index) => ({ diffId, ...factsOf(steps, built[index]) }))
  const cache = inlineCache ? inlineCacheOf(steps, { diffIds, built }) : undefined
  return completeConfig({ ...file, history }, layers, { epoch, ...(cache === undefined ? {} : { inlineCache: cache }) })
}

/** Of the step that left this layer; a step above it that changed nothing has the same chain and is younger. */
function factsOf(steps: ExportContext['steps'], chain: Digest | undefined): Omit<LayerFacts, 'diffId'> {
  const [first] = steps.filter((step) => step.chain === chain).sort((a, b) => a.createdAt - b.createdAt)
  return { createdAt: first?.createdAt, description: first?.description }
}

function manifestOf({ config, configSize, layers, platform }: Omit<AssembledImage, 'manifest'>, options: AssembleOptions): Document {
  const { annotations, ociTypes } = options
  return makeManifest({ digest: config, size: configSize }, layers, {
    ociTypes,
    annotations: annotationsFor(annotations, 'manifest', platform),
  })
}

async function exportManifests(
  assembly: Assembly,
  { main, images }: Pick<AssembledResult, 'main' | 'images'>,
  documents: readonly Document[],
  options: AssembleOptions & { isIndex: boolean },
): Promise<AssembledResult> {
  const { annotations } = options
  const blobs = new Map<Digest, Descriptor>()
  for (const { layers, config, configSize } of images) {
    for (const { digest, size, mediaType } of layers) blobs.set(digest, { mediaType, digest, size })
    blobs.set(config, { mediaType: '', digest: config, size: configSize })
  }
  const manifests: Descriptor[] = []
  for (const document of documents) manifests.push(await store(assembly, 'exporting manifest', document))
  const listed = images.flatMap(({ platform, manifest }) => {
    if (manifest === undefined) return []
    const written = annotationsFor(annotations, 'manifest-descriptor', platform)
    return [{ ...manifest, ...(written === undefined ? {} : { annotations: written }), platform }]
  })
  const attestations = wantsAttestations(options) ? images.map((image) => attestationOf(assembly, image, options)) : []
  for (const { manifest, config, statements } of attestations) {
    for (const part of [config, ...statements]) blobs.set(part.descriptor.digest, await store(assembly, undefined, part))
    manifests.push(await store(assembly, 'exporting attestation manifest', manifest))
  }
  const isIndex = options.isIndex || attestations.length > 0 || annotations.some(({ place }) => place.startsWith('index'))
  if (isIndex) {
    const ociTypes = options.ociTypes || attestations.length > 0
    const index = makeIndex([...listed, ...attestations.map(({ descriptor }) => descriptor)], {
      ociTypes,
      annotations: annotationsFor(annotations, 'index'),
    })
    manifests.push(await store(assembly, 'exporting manifest list', index))
  }
  const described = annotationsFor(annotations, isIndex ? 'index-descriptor' : 'manifest-descriptor', main.platform)
  const last = manifests.at(-1)
  const target = last === undefined || described === undefined ? last : { ...last, annotations: described }
  return { main, images, target, manifests, blobs: [...blobs.values()] }
}

function wantsAttestations({ provenance, inlineAttestations }: AssembleOptions): boolean {
  return provenance !== undefined && (!provenance.inlineOnly || inlineAttestations === true)
}

function attestationOf(
  { deps, context }: Assembly,
  { manifest, platform }: AssembledImage,
  { provenance, names }: AssembleOptions,
): ReturnType<typeof makeAttestation> {
  if (manifest === undefined || provenance === undefined) throw new TypeError('Cannot attest an image without manifest')
  const statement = provenanceOf(context.provenance, platform, provenance, { builderId: deps.builderId, finishedAt: Date.now() })
  return makeAttestation(
    manifest.digest,
    names.map((name) => imagePurl(name, platform)),
    [statement],
  )
}

async function store({ deps, context, vertex }: Assembly, what: string | undefined, { descriptor, bytes }: Document): Promise<Descriptor> {
  await deps.content.ingest([bytes], { lease: context.lease, digest: descriptor.digest })
  if (what !== undefined) await vertex.step(`${what} ${descriptor.digest}`, async () => {})
  return descriptor
}
