/**
 * Layers and the file systems made of them: overlay2.
 *
 * Lifecycle of an image's layers: a blob of the content store is *unpacked* into a directory of its own (all layers at once, in worker
 * threads), then the directories are *stacked* into chains. Of a container's file system: *prepare* puts an empty upper directory over a
 * chain; the container mounts *overlay* in its own mount namespace, the host mounts nothing; *changes*, *diff* and *usage* look at the upper
 * directory; *remove* throws it away. *collect* deletes chains and layers that nobody needs.
 *
 * Lifecycle of what a build step leaves: *prepareStep* is a writable layer like a container's, *mountStep* shows it to this process, *commitStep* makes
 * its upper directory a *draft*: one rename, nothing is read. Chains name a draft by a random id where layers have their diff id, and steps go on on top of
 * it. *seal* packs the tar of each draft, in a worker, and enters a layer with the draft's own directory; the draft is then only another name for that layer.
 *
 * ```
 * <root>/layers/7/diff            one layer, its whiteouts in overlayfs's language
 * <root>/layers/7/recipe          how its tar is put together again from its files; where blobs are not kept
 * <root>/layers/8/diff            a draft, whose tar is yet to be made
 * <root>/layers/9/diff            an init layer: mount points that the image lacks
 * <root>/snapshots/<key>/upper    what a container has written
 * <root>/snapshots/<key>/work     overlayfs's own
 * <root>/tmp/trash/<random>       on its way out
 * ```
 *
 * Unpacked files are not synced one by one. A layer's row names the boot of the machine until a sync of the whole file system is done; one
 * found after another boot is unpacked again from its blob, which is kept for this and for `layerTar`. With the policy `discard` the blob goes after that
 * sync, once a *recipe* has been made and compared. `LayerCare` looks after all of it: every file against the tar, repair, disk space. A draft has nothing that
 * it could be made of again: one that another boot may have torn is given up, with the chains above it.
 *
 * Glossary: *layer*, one unpacked tar, named by its *diff id*; *chain*, layers on top of each other, named by its *chain id*; *init layer*,
 * between image and container, never committed; *writable layer* or *snapshot*, a container's own, named by its *key*; *upper*, *lower*,
 * *work*, *whiteout*, *opaque*: as in the kernel's overlayfs.rst; *recipe*, the bytes of a
 * layer's tar that its files do not hold, with references to them; *draft*, *seal*, see above; *task*, work of another module in a worker thread of this one;
 * *lease*, see `content/`.
 *
 * The functions that move trees between tar archives and directories are exported for `docker cp`: they are safe against hostile archives
 * and against programs that change the directory meanwhile.
 *
 * ```ts
 * using lease = content.lease()
 * const layers = await Promise.all(blobs.map((blob) => snapshots.unpack(blob, { lease })))
 * let chain: ChainId | undefined
 * for (const { diffId } of layers) chain = snapshots.stack(chain, diffId, lease)
 * await snapshots.prepare(containerId, chain)
 * snapshots.overlay(containerId) // → { cwd, lower: ['layers/9/diff', 'layers/7/diff'], upper: 'snapshots/…/upper', … }
 *
 * await snapshots.prepareStep('step', chain, { bare: true })
 * {
 *   using root = snapshots.mountStep('step')
 *   writeFileSync(join(root.path, 'hello'), 'text')
 * }
 * const built = await snapshots.commitStep('step', lease) // → a chain; its topmost layer is a draft
 * const image = await snapshots.seal(built, { lease }) // → the chain id that the image's config tells
 * ```
 */
export { createFakeSnapshotter } from './fake-snapshotter.ts'
export type { FakeSnapshotter } from './fake-snapshotter.ts'
export { createOverlaySnapshotter } from './overlay-snapshotter.ts'
export type { OverlaySnapshotterDeps } from './overlay-snapshotter.ts'
export { O_PATH, pathIn } from './tree/descriptor-path.ts'
export { extractTree } from './tree/extract-tree.ts'
export { createFileWriter } from './tree/file-writer.ts'
export type { FileWriter } from './tree/file-writer.ts'
export { inSlices } from './tree/in-slices.ts'
export type { WriteOptions, WrittenTree } from './tree/tree-writer.ts'
export type { TreePlace } from './tree/parent-directories.ts'
export { deleteTree, removeTree } from './tree/remove-tree.ts'
export type { RemoveOptions } from './tree/remove-tree.ts'
export { isOverlayXattr, OPAQUE_VALUE, OPAQUE_XATTR } from './tree/whiteout.ts'
export { measureTree } from './measure-tree.ts'
export { packTree } from './tree/pack-tree.ts'
export type { PackOptions } from './tree/pack-tree.ts'
export { walkTree } from './tree/walk-tree.ts'
export type { TreeNode } from './tree/walk-tree.ts'
export type {
  Change,
  ChangeKind,
  ChainId,
  DiskUsage,
  DraftLayers,
  Layer,
  LayerCare,
  LayerVerdict,
  Snapshotter,
  UnpackOptions,
  Usage,
} from './types.ts'
export type { HashResult, Job, JobOptions, JobResult, JobRunner, ShareTask, Task, TaskLoader } from './unpack/job.ts'
export { createInlineRunner, createWorkerPool } from './unpack/worker-pool.ts'
export { runUnpackWorker } from './unpack/worker.ts'
