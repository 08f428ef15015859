import { imagePurl } from '../sources/image/image-purl.ts'
import type { Descriptor, Digest } from '#oci'
import type { StepResult } from '../types.ts'
import { annotationsFor } from './annotations.ts'
import { makeIndex, makeManifest } from './make-manifests.ts'
import type { Document } from './make-manifests.ts'
import { makeAttestation } from './provenance/attestation-manifest.ts'
import type { AttestationDocuments } from './provenance/attestation-manifest.ts'
import type { ProvenanceOptions } from './provenance/provenance-options.ts'
import { provenanceOf } from './provenance/provenance.ts'
import type { StepLayers } from './provenance/provenance.ts'
import { storeBytes } from './store-bytes.ts'
import type { AssembledImage, AssembledResult, AssembleOptions, Assembly } from './types.ts'

export interface ManifestOptions extends AssembleOptions {
  /** Even of one image. */
  isIndex: boolean
}

/**
 * Lists what images consist of: a manifest for each, another one with statements about it where there are any, and an index where there are several. Attestations come last, so that
 * a client that takes the first manifest takes an image. Source: moby/buildkit exporter/containerimage/writer.go.
 */
export async function exportManifests(
  assembly: Assembly,
  images: readonly AssembledImage[],
  options: ManifestOptions,
): Promise<Pick<AssembledResult, 'target' | 'manifests' | 'blobs'>> {
  const { annotations } = options
  const provenance = wantedProvenance(options)
  const isAttested = ({ statements }: AssembledImage): boolean => statements.length > 0 || provenance !== undefined
  const ociTypes = options.ociTypes || images.some(isAttested)
  const manifests: Descriptor[] = []
  const listed: Descriptor[] = []
  const blobs = new Map<Digest, Descriptor>()
  for (const { layers, config, configSize, platform } of images) {
    for (const { digest, size, mediaType } of layers) blobs.set(digest, { mediaType, digest, size })
    blobs.set(config, { mediaType: '', digest: config, size: configSize })
    const manifest = makeManifest({ digest: config, size: configSize }, layers, {
      ociTypes,
      annotations: annotationsFor(annotations, 'manifest', platform),
    })
    manifests.push(await store(assembly, 'exporting manifest', manifest))
    listed.push({ ...described(manifest.descriptor, annotationsFor(annotations, 'manifest-descriptor', platform)), platform })
  }
  const attestations = images.flatMap((image, index) => {
    const manifest = listed[index]
    return manifest === undefined || !isAttested(image) ? [] : attest(assembly, manifest, { ...options, provenance }, image)
  })
  for (const { manifest, config, statements } of attestations) {
    for (const part of [config, ...statements]) blobs.set(part.descriptor.digest, await store(assembly, undefined, part))
    manifests.push(await store(assembly, 'exporting attestation manifest', manifest))
  }
  const isIndex = options.isIndex || attestations.length > 0 || annotations.some(({ place }) => place.startsWith('index'))
  if (!isIndex) return { target: withoutPlatform(listed[0]), manifests, blobs: [...blobs.values()] }
  const index = makeIndex([...listed, ...attestations.map(({ descriptor }) => descriptor)], {
    ociTypes,
    annotations: annotationsFor(annotations, 'index'),
  })
  const target = described(await store(assembly, 'exporting manifest list', index), annotationsFor(annotations, 'index-descriptor'))
  return { target, manifests: [...manifests, index.descriptor], blobs: [...blobs.values()] }
}

function wantedProvenance({ provenance, inlineAttestations }: AssembleOptions): ProvenanceOptions | undefined {
  return provenance?.inlineOnly === true && inlineAttestations !== true ? undefined : provenance
}

function attest(
  { deps, context }: Assembly,
  manifest: Descriptor,
  { names, ociArtifact, provenance }: AssembleOptions,
  image: AssembledImage,
): AttestationDocuments {
  const { platform } = manifest
  if (platform === undefined) throw new TypeError('Cannot attest an image without platform')
  const facts = { builderId: deps.builderId, finishedAt: Date.now(), layers: layersOfSteps(context.steps, image) }
  const made = provenance === undefined ? [] : [provenanceOf(context.provenance, platform, provenance, facts)]
  const urls = names.map((name) => imagePurl('docker', name, platform))
  return makeAttestation(manifest, urls, [...image.statements, ...made], { isArtifact: ociArtifact })
}

/** Of which layers of the image a step's result consists. */
function layersOfSteps(steps: readonly StepResult[], { sealed, layers }: AssembledImage): StepLayers[] {
  return steps.flatMap(({ vertex, output, chain }) => {
    const top = chain === undefined ? -1 : sealed.built.indexOf(chain)
    return top === -1 ? [] : [{ vertex, output, layers: layers.slice(0, top + 1) }]
  })
}

function described(descriptor: Descriptor, annotations: Record<string, string> | undefined): Descriptor {
  return annotations === undefined ? descriptor : { ...descriptor, annotations }
}

/** A manifest that stands alone says itself what it is for. */
function withoutPlatform(listed: Descriptor | undefined): Descriptor | undefined {
  if (listed === undefined) return undefined
  const { platform: _, ...rest } = listed
  return rest
}

async function store({ deps, context, vertex }: Assembly, what: string | undefined, { descriptor, bytes }: Document): Promise<Descriptor> {
  await storeBytes(deps.content, bytes, context.lease)
  if (what !== undefined) await vertex.step(`${what} ${descriptor.digest}`, async () => {})
  return descriptor
}
