/** From file systems that are solved to images that are stored: layers, configs, and where they are needed manifests, attestations and an index. */

import type { Lease } from '#content'
import { inParallel } from '#lib'
import { decodeImageConfig, hostPlatform, platformMatches } from '#oci'
import type { Digest, ImageConfigFile } from '#oci'
import type { LayerBlob } from '#images'
import type { BuildImage, ExportContext, SolvedResult } from '../types.ts'
import { checkAnnotations } from './annotations.ts'
import { inlineCacheOf } from './cache/inline-cache.ts'
import { completeConfig, emptyConfig } from './complete-config.ts'
import type { LayerFacts } from './complete-config.ts'
import { exportManifests } from './export-manifests.ts'
import { foundStatement } from './provenance/attestation-manifest.ts'
import { markEmptySteps } from './history-layers.ts'
import type { ImageOptions } from './image-options.ts'
import { sealResult } from './seal-result.ts'
import type { SealedResult } from './seal-result.ts'
import { storeBytes } from './store-bytes.ts'
import type { AssembledImage, AssembledResult, AssembleOptions, Assembly, ExporterDeps } from './types.ts'

export async function assembleImages(assembly: Assembly, result: SolvedResult, options: AssembleOptions): Promise<AssembledResult> {
  const built = result.images.length === 0 ? [EMPTY_IMAGE] : result.images
  checkAnnotations(
    options.annotations,
    built.map(({ image }) => image.platform),
  )
  const sealed = await assembly.vertex.step('exporting layers', (count) => exportLayers(assembly, built, options, count))
  const images: AssembledImage[] = []
  for (const [index, { image, statements = [] }] of built.entries()) {
    const layers = sealed[index]
    if (layers === undefined) continue
    images.push({ ...(await exportConfig(assembly, image, layers, options)), statements: statements.map(foundStatement) })
  }
  const main = images.find(({ platform }) => platformMatches(hostPlatform(), platform)) ?? images[0]
  if (main === undefined) throw new TypeError('Cannot assemble a result without images')
  if (!options.withManifest) return { main, images, target: undefined, manifests: [], blobs: [] }
  return { main, images, ...(await exportManifests(assembly, images, { ...options, isIndex: result.multiPlatform || images.length > 1 })) }
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
): Promise<Omit<AssembledImage, 'statements'>> {
  const file = configOf(deps, context, image, sealed, options)
  const bytes = Buffer.from(JSON.stringify(file))
  decodeImageConfig(bytes) // what we could not read back may not be written
  const { digest, size } = await storeBytes(deps.content, bytes, context.lease)
  await vertex.step(`${options.withManifest ? 'exporting config' : 'writing image'} ${digest}`, async () => {})
  return {
    platform: image.platform,
    config: digest,
    configSize: size,
    sealed,
    layers: blobs.map((blob, index) => annotated(blob, sealed.rewritten[index], options)),
  }
}

/** By this annotation tools tell which layers of an image were made reproducible. Source: moby/buildkit exporter/containerimage/writer.go. */
function annotated(blob: LayerBlob, isRewritten: boolean | undefined, { epoch }: ImageOptions): LayerBlob {
  if (isRewritten !== true || epoch === undefined) return blob
  return { ...blob, annotations: { ...blob.annotations, 'buildkit/rewritten-timestamp': String(epoch / 1000) } }
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
