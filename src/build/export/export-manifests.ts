import { imagePurl } from '../sources/image/image-purl.ts'
import type { Descriptor, Digest } from '#oci'
import { annotationsFor } from './annotations.ts'
import { makeIndex, makeManifest } from './make-manifests.ts'
import type { Document } from './make-manifests.ts'
import { makeAttestation } from './provenance/attestation-manifest.ts'
import type { AttestationDocuments } from './provenance/attestation-manifest.ts'
import type { ProvenanceOptions } from './provenance/provenance-options.ts'
import { provenanceOf } from './provenance/provenance.ts'
import { storeBytes } from './store-bytes.ts'
import type { AssembledImage, AssembledResult, AssembleOptions, Assembly } from './types.ts'

export interface ManifestOptions extends AssembleOptions {
  /** Even of one image. */
  isIndex: boolean
}

/**
 * Lists what images consist of: a manifest for each, with provenance another one that speaks of it, and an index where there are several. Attestations come last, so that
 * a client that takes the first manifest takes an image. Source: moby/buildkit exporter/containerimage/writer.go.
 */
export async function exportManifests(
  assembly: Assembly,
  images: readonly AssembledImage[],
  options: ManifestOptions,
): Promise<Pick<AssembledResult, 'target' | 'manifests' | 'blobs'>> {
  const { annotations } = options
  const provenance = wantedProvenance(options)
  const ociTypes = options.ociTypes || provenance !== undefined
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
  const attestations = provenance === undefined ? [] : listed.map((manifest) => attest(assembly, manifest, provenance, options))
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
  provenance: ProvenanceOptions,
  { names, ociArtifact }: AssembleOptions,
): AttestationDocuments {
  const { platform } = manifest
  if (platform === undefined) throw new TypeError('Cannot attest an image without platform')
  const statement = provenanceOf(context.provenance, platform, provenance, { builderId: deps.builderId, finishedAt: Date.now() })
  const urls = names.map((name) => imagePurl(name, platform))
  return makeAttestation(manifest, urls, [statement], { isArtifact: ociArtifact })
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
