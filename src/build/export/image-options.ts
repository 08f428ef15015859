import type { AttributeReader, CompressionChoice } from './attributes.ts'
import type { Annotations } from './annotations.ts'
import { epochOf, parseEpoch } from './epoch.ts'
import type { EpochSetting } from './epoch.ts'
import { parseProvenance } from './provenance/provenance-options.ts'
import type { ProvenanceOptions } from './provenance/provenance-options.ts'
import type { SolvedResult } from '../types.ts'

/** What all exporters of images know. Source: moby/buildkit exporter/containerimage/opts.go. */
export interface ImageOptions {
  compression: CompressionChoice
  /** Media types of the OCI; else Docker's. */
  ociTypes: boolean
  annotations: Annotations
  /** Nothing in the image is younger. Milliseconds. */
  epoch: number | undefined
  /** Files in layers are not younger either. */
  rewriteTimestamp: boolean
  provenance: ProvenanceOptions | undefined
  /** Attestations in the form of OCI 1.1. */
  ociArtifact: boolean
  /** Attestations are part of the image even if they are wanted only where that costs nothing. */
  inlineAttestations: boolean | undefined
}

/** As the client has written them, before there is a result. */
export type WrittenImageOptions = Omit<ImageOptions, 'epoch'> & { epoch: EpochSetting }

/** What holds for a result, once there is one. Throws INVALID_ARGUMENT when the frontend tells a time that is none. */
export function imageOptionsFor(result: Pick<SolvedResult, 'metadata'>, written: WrittenImageOptions): ImageOptions {
  return { ...written, epoch: epochOf(written.epoch, result) }
}

export function readImageOptions(
  reader: AttributeReader,
  options: Readonly<Record<string, string>>,
  defaults: { ociTypes: boolean },
): WrittenImageOptions {
  const compression = reader.compression()
  const annotations = reader.annotations()
  const epoch = parseEpoch(reader.take('source-date-epoch'), options)
  const ociTypes = reader.boolean('oci-mediatypes')
  reader.refuse(['prefer-nondist-layers', 'buildinfo', 'buildinfo-attrs'])
  const isOciOnly = compression.type === 'zstd' || annotations.some(({ place }) => place !== 'manifest')
  return {
    compression,
    ociTypes: isOciOnly || (ociTypes ?? defaults.ociTypes),
    annotations,
    epoch,
    rewriteTimestamp: reader.boolean('rewrite-timestamp') ?? false,
    provenance: parseProvenance(options),
    ociArtifact: reader.boolean('oci-artifact') ?? true,
    inlineAttestations: reader.boolean('attestation-inline'),
  }
}
