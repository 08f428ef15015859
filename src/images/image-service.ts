import type { ContentStore } from '#content'
import type { Metadata } from '#metadata'
import { Semaphore } from '#lib'
import { parsePlatform } from '#oci'
import type { Digest } from '#oci'
import type { Remotes } from '#remotes'
import type { ChainId, Snapshotter } from '#snapshots'
import { codeOf, invalidArgument, notFound } from '#errors'
import { createBlobPlaces } from './blob-places.ts'
import { checkImages, forgetImage, imageFault } from './check-images.ts'
import { commitImage } from './commit-image.ts'
import { describeImage } from './describe-image.ts'
import { enterImage } from './enter-image.ts'
import { findImage, findTarget } from './find-image.ts'
import { measureImages } from './image-disk-usage.ts'
import { imageHistory } from './image-history.ts'
import { createImageStore } from './image-store.ts'
import { importFromUrl, importImage } from './import-image.ts'
import { createLayerBlobs } from './layer-blob.ts'
import { listImages } from './list-images.ts'
import { loadImages } from './load/load-images.ts'
import { createManifestGraph } from './manifest-graph.ts'
import { giveName, imageAttributes, parseNewName } from './name-image.ts'
import { summariseManifests } from './manifest-summaries.ts'
import { pruneImages } from './prune-images.ts'
import { createCompressedLayers } from './push/compressed-layers.ts'
import { pushImages } from './push/push-images.ts'
import { uploadTarget } from './push/upload-target.ts'
import { createImagePuller } from './pull/pull-image.ts'
import { removeImage } from './remove-image.ts'
import { removePlatforms } from './remove-platforms.ts'
import { resolveImage } from './resolve-image.ts'
import { chooseImages } from './save/choose-images.ts'
import { saveImages } from './save/save-images.ts'
import type { Image, ImageService, ImageUsers, PublishImageEvent } from './types.ts'
import { createCollector } from './collector.ts'

export interface ImageServiceDeps {
  metadata: Metadata
  content: ContentStore
  snapshotter: Snapshotter
  users: ImageUsers
  publish: PublishImageEvent
  remotes: Pick<Remotes, 'repository'>
  /** Read at each use; 0: no limit. */
  maxConcurrentDownloads: () => number
  /** The same of uploads. */
  maxConcurrentUploads: () => number
  /** Chains that are kept though no image has them: the build cache's. None when absent. */
  otherChains?: () => Iterable<ChainId>
  /** Hears of failures in the background: nobody waits for the collection of what no image needs. */
  report: (error: unknown) => void
}

export function createImageService(deps: ImageServiceDeps): ImageService {
  const { content, snapshotter, publish, users } = deps
  const store = createImageStore(deps)
  const graph = createManifestGraph({ content })
  const creation = { store, content, snapshotter, publish }
  const resolution = { ...creation, graph }
  const places = createBlobPlaces(deps)
  const compressed = createCompressedLayers(deps)
  const collector = createCollector({ store, content, snapshotter, graph, places, compressed, otherChains: deps.otherChains ?? (() => []) })
  const removal = { ...resolution, users, collector }
  const uploads = new Semaphore(() => deps.maxConcurrentUploads() || Infinity)
  const pushing = { ...resolution, places, compressed, uploads, remotes: deps.remotes }
  const layerBlob = createLayerBlobs({ content, snapshotter, compressed })
  const puller = createImagePuller({ ...deps, ...creation, places, compressed, released: collectSoon })

  function collectSoon(): void {
    collector.collect().catch((error: unknown) => {
      // Cancelled by the daemon's end: the next start collects.
      if (codeOf(error) !== 'CANCELLED') deps.report(error)
    })
  }

  /**
   * Runs what needs a lease; whatever it has stored and does not need (the documents of an archive; all, when it fails), and what was only kept for it, is
   * freed.
   */
  async function leasing<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } finally {
      collectSoon()
    }
  }

  function isUnpacked(manifest: Digest): boolean {
    const document = graph.document(manifest)
    return document?.kind === 'manifest' && store.has(document.manifest.config.digest)
  }

  function layerChains(id: Digest): ChainId[] {
    return collector.chains(id)
  }

  return {
    get(ref) {
      const { id, target } = findTarget(store, ref)
      return { ...describeImage(store, id), ...(target === undefined ? {} : { descriptor: target }) }
    },
    list: (options) => listImages(store, graph, options),
    history: (ref) => imageHistory({ store, graph, snapshotter }, findImage(store, ref)),

    async tag(ref, repo, tag) {
      const name = parseNewName(repo, tag)
      if (name === undefined) throw invalidArgument('invalid reference format')
      const { id, target } = findTarget(store, ref)
      const event = store.transaction(() => giveName(store, id, name, target))
      publish(...event())
    },

    async remove(ref, options) {
      const { platforms = [] } = options
      const results = platforms.length === 0 ? removeImage(removal, ref, options) : await removePlatforms(removal, ref, platforms, options)
      collectSoon()
      return results
    },

    async prune(filters) {
      const sizes = collector.layerSizes()
      const deleted = pruneImages(removal, filters)
      collectSoon()
      let reclaimed = 0
      for (const result of deleted) if ('deleted' in result) reclaimed += sizes.get(result.deleted) ?? 0
      publish('prune', '', { reclaimed: String(reclaimed) })
      return { deleted, reclaimed }
    },

    load: (archive, options) =>
      leasing(async () => {
        const before = collector.reachable()
        const { images, unwanted } = await loadImages(creation, archive, options)
        // A pull may have wanted one meanwhile, and has made an image of it.
        const dropped = [...unwanted.difference(before)].filter((digest) => !isUnpacked(digest))
        if (dropped.length > 0) await collector.drop(new Set(dropped))
        return describeAll(images)
      }),
    save(refs, { platforms = [] } = {}) {
      const chosen = chooseImages(store, refs)
      const archive = saveImages(resolution, chosen, platforms)
      for (const { id } of chosen) publish('save', id, imageAttributes(store, id, id))
      // What was removed meanwhile was kept for it.
      return archive.once('close', collectSoon)
    },
    pull: (options) => leasing(() => puller.pull(options)),
    inspectRemote: puller.inspectRemote,
    fetch: puller.fetch,
    push: (options) => leasing(() => pushImages(pushing, options)),
    async resolve(ref, platform, options) {
      if (platform === '') return this.get(ref)
      const image = describeImage(store, await resolveImage(resolution, ref, parsePlatform(platform), options))
      // A name stands for all platforms, whichever of them it leads to.
      const { repoTags, repoDigests } = describeImage(store, findImage(store, ref))
      return { ...image, repoTags, repoDigests }
    },
    manifests(ref) {
      const { target } = findTarget(store, ref)
      return target === undefined ? [] : summariseManifests(resolution, target)
    },
    import: (tar, options) => leasing(async () => describeImage(store, await importImage(creation, tar, options))),
    importFrom: (url, options) => leasing(async () => describeImage(store, await importFromUrl(creation, url, options))),
    enter: async (options) => describeImage(store, await enterImage(creation, options)),
    layerBlob,
    upload: (options) => uploadTarget(pushing, options),
    commit: (options) => leasing(async () => describeImage(store, await commitImage(creation, options))),

    layerPaths(id) {
      const row = store.row(id)
      if (row === undefined) throw notFound(`No such image: ${id}`)
      return row.chain === undefined ? [] : snapshotter.layerPaths(row.chain)
    },
    layers: () => new Set(store.ids().flatMap((id) => store.config(id).rootfs.diff_ids)),
    collect: collectSoon,
    diskUsage: () => measureImages({ store, content, snapshotter, graph }),
    sharedSize(id) {
      const others = new Set(store.ids().flatMap((other) => (other === id ? [] : layerChains(other))))
      return layerChains(id).reduce((sum, chain) => sum + (others.has(chain) ? snapshotter.layer(chain).size : 0), 0)
    },

    check: () =>
      checkImages({ store, content, snapshotter, graph }).map((problem) => ({
        ...problem,
        mend() {
          problem.mend()
          collectSoon()
        },
      })),

    async restore() {
      await content.restore()
      for (const id of store.ids()) {
        const fault = imageFault({ store, content, snapshotter }, id)
        if (fault === undefined) continue
        deps.report(new Error(`Cannot keep image ${id}: ${fault}`))
        forgetImage(store, id)
      }
      await collector.collect()
    },
  }

  function describeAll(ids: readonly Digest[]): Image[] {
    return ids.map((id) => describeImage(store, id))
  }
}
