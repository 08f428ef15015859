/** Codecs of the documents that the registry itself writes. What cannot be read (a damaged disk) counts as absent. */

import { isDigest, type Digest } from '#oci'
import type { ManifestDocument } from './manifest-document.ts'
import type { ManifestRecord, ReferrerDescriptor } from './types.ts'

export function writeManifestRecord({ mediaType, bytes, subject }: ManifestDocument): Buffer {
  return Buffer.from(JSON.stringify({ mediaType, size: bytes.length, subject }))
}

export function readManifestRecord(digest: Digest, record: Buffer): ManifestRecord | undefined {
  const fields = parse(record)
  if (typeof fields?.['mediaType'] !== 'string' || typeof fields['size'] !== 'number') return undefined
  const { mediaType, size, subject } = fields
  return { digest, mediaType, size, ...(isDigest(subject) ? { subject } : {}) }
}

/** The descriptor that a list of referrers shows. Source: distribution-spec v1.1, "Listing Referrers". */
export function writeReferrer({ mediaType, digest, bytes, artifactType, annotations }: ManifestDocument): Buffer {
  return Buffer.from(JSON.stringify({ mediaType, digest, size: bytes.length, artifactType, annotations }))
}

export function readReferrer(record: Buffer): ReferrerDescriptor | undefined {
  const fields = parse(record)
  return isDigest(fields?.['digest']) ? (fields as unknown as ReferrerDescriptor) : undefined
}

function parse(record: Buffer): Record<string, unknown> | undefined {
  try {
    return JSON.parse(record.toString('utf8')) as Record<string, unknown>
  } catch {
    return undefined
  }
}
