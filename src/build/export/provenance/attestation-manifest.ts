import { digestOf, hexOf, MEDIA_TYPES } from '#oci'
import type { Descriptor } from '#oci'
import type { FoundStatement } from '../../types.ts'
import { makeManifest } from '../make-manifests.ts'
import type { Document } from '../make-manifests.ts'

const IN_TOTO = 'application/vnd.in-toto+json'
const ARTIFACT = 'application/vnd.docker.attestation.manifest.v1+json'
const EMPTY = 'application/vnd.oci.empty.v1+json'
/** Platform of what is no image: clients that look for theirs pass it over. */
const NOWHERE = { architecture: 'unknown', os: 'unknown' } as const

/** A statement about an image. */
export interface Statement {
  predicateType: string
  predicate: object
  /** Of what else it speaks; absent: what it is put beside. */
  subject?: readonly Subject[]
}

/** As a scanner wrote it; without subjects it speaks of what it is put beside. */
export function foundStatement({ predicateType, predicate, subject }: FoundStatement): Statement {
  return { predicateType, predicate, ...(subject.length > 0 && { subject }) }
}

/** What a statement is about. */
export interface Subject {
  name: string
  digest: Readonly<Record<string, string>>
}

/** Source: in-toto.io/Statement v0.1. */
export function makeStatement({ predicateType, predicate, subject }: Statement, beside: readonly Subject[]): object {
  return { _type: 'https://in-toto.io/Statement/v0.1', predicateType, subject: subject ?? beside, predicate }
}

export interface AttestationDocuments {
  /** As the index lists it. */
  descriptor: Descriptor
  manifest: Document
  config: Document
  statements: Document[]
}

/** `isArtifact`: in the form of OCI 1.1, for which registries have a list by subject; else as an image that nobody can run, as BuildKit before 0.32. */
export interface AttestationForm {
  isArtifact: boolean
}

/**
 * The manifest of statements about the image `target`, as part of the index that lists both. `names`: package URLs of the image. Source: moby/buildkit
 * docs/attestations/attestation-storage.md, exporter/containerimage/writer.go.
 */
export function makeAttestation(
  target: Descriptor,
  names: readonly string[],
  statements: readonly Statement[],
  { isArtifact }: AttestationForm,
): AttestationDocuments {
  const subject = names.map((name) => ({ name, digest: { sha256: hexOf(target.digest) } }))
  const documents = statements.map((statement) => ({
    predicateType: statement.predicateType,
    ...compact(IN_TOTO, makeStatement(statement, subject)),
  }))
  const config = isArtifact ? compact(EMPTY, {}) : imageConfig(documents)
  const layers = documents.map(({ descriptor, predicateType }) => ({
    ...descriptor,
    annotations: { 'in-toto.io/predicate-type': predicateType },
  }))
  const { mediaType, digest, size } = target
  const artifact = isArtifact ? { artifactType: ARTIFACT, subject: { mediaType, digest, size } } : undefined
  const manifest = makeManifest(config.descriptor, layers, { ociTypes: true, artifact })
  const annotations = { 'vnd.docker.reference.digest': digest, 'vnd.docker.reference.type': 'attestation-manifest' }
  return { descriptor: { ...manifest.descriptor, annotations, platform: { ...NOWHERE } }, manifest, config, statements: documents }
}

function imageConfig(statements: readonly Document[]): Document {
  const rootfs = { type: 'layers', diff_ids: statements.map(({ descriptor }) => descriptor.digest) }
  return compact(MEDIA_TYPES.ociConfig, { ...NOWHERE, config: {}, rootfs })
}

/** Statements are read by programs. */
function compact(type: string, content: object): Document {
  const bytes = Buffer.from(JSON.stringify(content))
  return { bytes, descriptor: { mediaType: type, digest: digestOf(bytes), size: bytes.length } }
}
