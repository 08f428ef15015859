/**
 * Images: what they are called, what they are made of, how they come and go.
 *
 * An image is its config, a blob whose digest is the image's id; the config names the layers by diff id, and the snapshotter has them
 * unpacked. Names (*references*) point to ids; an id may have many names or none (*dangling*). Rows hold names, parents and sizes.
 *
 * A name that came from a registry or an archive also points to its *target*, the manifest or index it came as. The target's bytes, and everything it
 * lists that is here, are kept as they came: `push` and `save` give them away again, so that an image has the same digest everywhere. Of an index only
 * what was pulled or loaded is here. Its other platforms stay packed until `resolve` is asked for one; unpacked, they are images of their own
 * without a name, *owned* by the names whose targets list them.
 *
 * A build takes its base images by `fetch`: config and layers are here then and held by the build's lease, but there is no image.
 *
 * Lifecycle: `pull`, `load`, `import` and `commit` store blobs, unpack and stack layers under a lease, then enter all rows in one transaction; a build does the
 * first itself, and calls `enter`.
 * `tag` gives names. `push` sends the target, or a manifest made of config and layers, which is the name's target from then on. `remove` takes names away, the
 * image with the last of them, and a collection in the background frees layers and blobs that nothing names any more. What fails half way leaves only
 * content without a row, which the same collection frees.
 *
 * ```
 * reference ─┬─ image   → config → diff ids → unpacked layers
 *            └─ target  → index → manifests (*leaves*) → configs, layer blobs; attestations
 * ```
 *
 * Glossary: *image id*, digest of the config; *reference*, *familiar name*, *diff id*, *chain id*: see `oci/`; *parent*, the image this
 * one was made from on this machine; *dangling*, without a tag; *target*, *leaf*, *owned*: see above; *made*, of a manifest: by us, for an image that came with
 * none; *place*, a repository of a registry that is known to have a blob.
 *
 * ```ts
 * const images = createImageService({ metadata, content, snapshotter, remotes, users, publish, report, ... })
 * await images.pull({ reference: parseReference('alpine:3'), report: () => {} })
 * await images.tag('alpine:3', 'registry:5000/alpine', 'v1')
 * await images.push({ reference: parseReference('registry:5000/alpine:v1'), report: () => {} }) // the same manifest digest as on Docker Hub
 * await images.remove('alpine:3', { force: false, prune: true }) // → [{ untagged: 'alpine:3' }, …]
 * ```
 */
export { createImageService } from './image-service.ts'
export type { ImageServiceDeps } from './image-service.ts'
export { requestUrl } from './open-url.ts'
export type { UrlRequest, UrlResponse } from './open-url.ts'
export { archiveFiles } from './save/archive-files.ts'
export type { ArchivedBlob, ArchivedImage, ArchiveFile, ArchiveFormat } from './save/archive-files.ts'
export { archiveTar } from './save/save-images.ts'
export type {
  CommitOptions,
  DeleteResult,
  EnterOptions,
  FetchOptions,
  FetchProgress,
  HistoryEntry,
  Image,
  ImageDiskUsage,
  ImageFilters,
  ImageManifestSummary,
  ImageOrigin,
  ImageProblem,
  ImageService,
  ImageUsers,
  ImportOptions,
  LayerBlob,
  LayerBlobOptions,
  LoadOptions,
  ProgressMessage,
  PublishImageEvent,
  PullOptions,
  PushOptions,
  RemoteImage,
  RemoveOptions,
  SaveOptions,
  UploadOptions,
} from './types.ts'
