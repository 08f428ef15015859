import type { Digest } from '#oci'
import type { ManifestDocument } from '../repositories/manifest-document.ts'

/** A manifest of one repository as the collector sees it. */
export interface ManifestNode {
  document: Pick<ManifestDocument, 'digest' | 'manifests' | 'subject'>
  tagged: boolean
}

/**
 * The manifests of a repository that are kept when the untagged go: those with a tag, what they list, and what speaks of a manifest that is kept
 * (signatures, attestations). What speaks of a manifest that is not here has lost its purpose.
 */
export function liveManifests(nodes: readonly ManifestNode[]): Set<Digest> {
  const byDigest = new Map(nodes.map((node) => [node.document.digest, node]))
  const referrers = Map.groupBy(
    nodes.filter((node) => node.document.subject !== undefined),
    (node) => node.document.subject,
  )
  const live = new Set<Digest>()
  const waiting = nodes.filter((node) => node.tagged)
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    const { digest, manifests } = node.document
    if (live.has(digest)) continue
    live.add(digest)
    for (const entry of manifests) {
      const inner = byDigest.get(entry)
      if (inner !== undefined) waiting.push(inner)
    }
    waiting.push(...(referrers.get(digest) ?? []))
  }
  return live
}
