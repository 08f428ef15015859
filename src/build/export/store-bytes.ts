import type { Blob, ContentStore, Lease } from '#content'
import { digestOf } from '#oci'

/** Stores a document made here. What is there already is not written again: a build from the cache makes the same ones each time. */
export async function storeBytes(content: ContentStore, bytes: Buffer, lease: Lease): Promise<Blob> {
  const digest = digestOf(bytes)
  lease.hold(digest) // before the look: a collection must not come in between
  return content.has(digest) ? { digest, size: bytes.length } : await content.ingest([bytes], { lease, digest })
}
