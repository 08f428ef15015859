import type { ContentStore } from '#content'
import { inParallel } from '#lib'
import { MAX_MANIFEST_SIZE } from '#oci'
import type { Remotes } from '#remotes'
import type { ImageStore } from '../image-store.ts'
import type { UploadOptions } from '../types.ts'
import { pushBlob } from './push-blob.ts'
import type { PushBlobDeps } from './push-blob.ts'
import { pushManifests } from './push-content.ts'
import type { PushManifest } from './push-plan.ts'
import { createPushProgress } from './push-progress.ts'

export interface UploadDeps extends PushBlobDeps {
  store: ImageStore
  remotes: Pick<Remotes, 'repository'>
}

/** Pushes stored content as it is; see `ImageService.upload`. */
export async function uploadTarget(deps: UploadDeps, options: UploadOptions): Promise<void> {
  const { reference, blobs, manifests, image, insecure = false, report, signal } = options
  const repository = deps.remotes.repository(reference, 'push', {
    signal,
    insecure,
    ...(options.credentials === undefined ? {} : { credentials: options.credentials }),
  })
  const sources = new Map(blobs.map(({ digest, size }) => [digest, { kind: 'stored', digest, size } as const]))
  await inParallel([...sources.values()], signal, async (source, stop) => {
    await pushBlob(deps, repository, source, { progress: createPushProgress(report, source.digest), signal: stop })
  })
  const documents = manifests.map((descriptor) => ({ descriptor, bytes: readManifest(deps.content, descriptor) }))
  const target = manifests.at(-1)
  if (target === undefined) return
  await pushManifests(repository, documents, reference.tag === undefined ? { digest: target.digest } : { tag: reference.tag }, signal)
  if (image === undefined || !deps.store.has(image)) return
  const { domain, path } = reference
  const { mediaType, digest, size } = target
  deps.store.putReference({ domain, path, digest }, image, { mediaType, digest, size })
}

function readManifest(content: ContentStore, { digest }: PushManifest['descriptor']): Buffer {
  return content.readAll(digest, MAX_MANIFEST_SIZE)
}
