import type { ContentStore, Lease } from '#content'
import type { Digest, Reference } from '#oci'
import type { ImageName, ImageStore } from '../image-store.ts'
import type { ManifestGraph } from '../manifest-graph.ts'
import type { PushManifest, PushPlan } from './push-plan.ts'

/** What was pushed where. */
interface Pushed {
  name: Reference
  /** What the name meant when the push began. */
  found: ImageName
  plan: PushPlan
  pushed: PushManifest
  /** No single platform was asked for. */
  isWhole: boolean
}

/** The image is known by the digest it has in the registry from now on, and its tag stands for that manifest. */
export async function rememberPush(
  { store, content, graph }: { store: ImageStore; content: ContentStore; graph: ManifestGraph },
  { name, found, plan, pushed, isWhole }: Pushed,
  lease: Lease,
): Promise<void> {
  const { mediaType, digest, size } = pushed.descriptor
  const target = { mediaType, digest, size }
  await content.ingest([pushed.bytes], { lease, digest })
  await lease.durable()
  store.transaction(() => {
    // Of an index that could not be pushed whole the tag keeps the index.
    const replaces = isWhole && (plan.kind === 'made' || plan.insteadOf === undefined)
    const isSame = store.find(name)?.image === found.image
    if (replaces && isSame && found.target?.digest !== digest) store.putReference(name, found.image, target)
    const image = replaces ? found.image : imageOf(graph, digest)
    // Removed meanwhile, or another platform that is not unpacked: there is no image that could have the name.
    if (image !== undefined && store.has(image)) store.putReference({ domain: name.domain, path: name.path, digest }, image, target)
  })
}

function imageOf(graph: ManifestGraph, digest: Digest): Digest | undefined {
  const document = graph.document(digest)
  return document?.kind === 'manifest' ? document.manifest.config.digest : undefined
}
