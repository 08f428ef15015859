/**
 * Images: what they are called, what they are made of, how they come and go.
 *
 * An image is its config, a blob whose digest is the image's id; the config names the layers by diff id, and the snapshotter has them
 * unpacked. Names (*references*) point to ids; an id may have many names or none (*dangling*). Rows hold names, parents and sizes.
 *
 * Lifecycle: `load`, `import` and `commit` store blobs, unpack and stack layers under a lease, then enter all rows in one transaction.
 * `tag` gives names. `remove` takes names away, the image with the last of them, and a collection in the background frees layers and
 * blobs that nothing names any more. What fails half way leaves only content without a row, which the same collection frees.
 *
 * Glossary: *image id*, digest of the config; *reference*, *familiar name*, *diff id*, *chain id*: see `oci/`; *parent*, the image this
 * one was made from on this machine; *dangling*, without a tag.
 *
 * ```ts
 * const images = createImageService({ metadata, content, snapshotter, users, publish, report })
 * const [image] = await images.load(archive, { quiet: true, report: () => {} })
 * await images.tag(image.id, 'registry:5000/app', 'v1')
 * await images.remove('registry:5000/app:v1', { force: false, prune: true }) // → [{ untagged: 'registry:5000/app:v1' }, …]
 * ```
 */
export { createImageService } from './image-service.ts'
export type { ImageServiceDeps } from './image-service.ts'
export type {
  CommitOptions,
  DeleteResult,
  HistoryEntry,
  Image,
  ImageDiskUsage,
  ImageFilters,
  ImageManifestSummary,
  ImageProblem,
  ImageService,
  ImageUsers,
  ImportOptions,
  LoadOptions,
  ProgressMessage,
  PublishImageEvent,
  PullOptions,
  PushOptions,
  RemoveOptions,
  SaveOptions,
} from './types.ts'
