/** Contracts of `images/`. The manual is in `index.ts`. */

import type { Readable } from 'node:stream'
import type { Lease } from '#content'
import type { Descriptor, Digest, ImageConfigFile, ImageManifest, Platform, Reference } from '#oci'
import type { Credentials, RemoteRepository } from '#remotes'
import type { ChainId } from '#snapshots'

/** An image as the engine knows it; the id is the digest of its config, as with Docker's classic store. */
export interface Image {
  id: Digest
  config: ImageConfigFile
  /** Chain id of the topmost layer; undefined for an image without layers. */
  chain: ChainId | undefined
  /** Familiar names: `alpine:3`, `registry:5000/a/b:1`. Sorted. */
  repoTags: string[]
  /** `alpine@sha256:…`. Sorted. */
  repoDigests: string[]
  /** Bytes of all layers as unpacked. */
  size: number
  parent: Digest | ''
  /** Milliseconds since the epoch; 0 when never. */
  lastTagged: number
  /** The manifest or index that the image came as, when it is known: kept byte for byte, and pushed as it is. */
  descriptor?: Descriptor
}

export interface HistoryEntry {
  /** Image id for the newest entry, `<missing>` else. */
  id: string
  /** Unix seconds. */
  created: number
  createdBy: string
  tags: string[] | null
  size: number
  comment: string
}

/** One line of a progress stream; `server/` writes it as Docker's JSON message. */
export interface ProgressMessage {
  id?: string
  status?: string
  stream?: string
  progress?: { current: number; total: number }
  aux?: unknown
}

export type DeleteResult = { untagged: string } | { deleted: string }

export interface ImageFilters {
  reference: string[]
  dangling?: boolean
  /** `key` or `key=value`. */
  label: string[]
  labelNot: string[]
  before?: string
  since?: string
  /** Milliseconds since the epoch. */
  until?: number
}

/** Who uses an image; answered by `containers/`, asked by deletion. Wired in `daemon/`. */
export interface ImageUsers {
  /** Containers made from this image id, by id, with whether they run. */
  usersOf(image: Digest): { id: string; running: boolean }[]
}

/**
 * Tells the world what happened to an image; wired to the event bus. `id` is the image's, but the familiar name for `pull` and `push`;
 * `attributes` holds the labels and `name`.
 */
export type PublishImageEvent = (
  action: 'tag' | 'untag' | 'delete' | 'load' | 'save' | 'import' | 'create' | 'prune' | 'pull' | 'push',
  id: string,
  attributes: Record<string, string>,
) => void

export interface LoadOptions {
  quiet: boolean
  /** Of images with several: only these are taken. Undefined or empty: all that the archive has. */
  platforms?: readonly Platform[]
  signal?: AbortSignal
  report: (message: ProgressMessage) => void
}

export interface ImportOptions {
  /** Empty: the image gets no name. */
  repo: string
  tag: string
  /** Comment of the image; empty: none. */
  message: string
  /** Dockerfile instructions (`CMD …`, `ENV …`). */
  changes: string[]
  /** `os/arch/variant`; undefined: this machine's. */
  platform?: string
  signal?: AbortSignal
  /** Hears of the download when the archive comes from a URL. */
  report?: (message: ProgressMessage) => void
}

export interface SaveOptions {
  /** Of images with several: only these are written. Undefined or empty: everything that is here. */
  platforms?: readonly Platform[]
}

export interface RemoveOptions {
  /** Deletes although a stopped container uses the image, and all names of an image that is given by its id. */
  force: boolean
  /** Parents that nobody needs go, too. */
  prune: boolean
  /** Only these platforms of the image are deleted; its names stay. Undefined or empty: all of it. */
  platforms?: readonly Platform[]
}

export interface CommitOptions {
  /** The writable layer. */
  key: string
  parent: Digest | ''
  config: ImageConfigFile['config']
  /** Empty: the image gets no name. */
  repo: string
  tag: string
  comment: string
  author: string
  /** The command that made the layer, for the history. */
  createdBy: string
  /** Dockerfile instructions that are applied to `config`. */
  changes: string[]
}

export interface PullOptions {
  /** Without tag and digest: all tags of the repository. */
  reference: Reference
  /** `os/arch/variant`; undefined: this machine's. */
  platform?: string
  credentials?: Credentials
  /** Headers of the API client that registries are to see (`X-Meta-*`, `User-Agent`). */
  headers?: Readonly<Record<string, string>>
  signal?: AbortSignal
  /** Docker's words: `Pulling fs layer`, `Downloading`, `Extracting`, `Pull complete`, `Already exists`, `Digest: …`, `Status: …`. */
  report: (message: ProgressMessage) => void
}

export interface PushOptions {
  /** Without tag: all tags of the repository that are here. */
  reference: Reference
  /** Of an image with several: the one to push, without the index. */
  platform?: Platform
  credentials?: Credentials
  headers?: Readonly<Record<string, string>>
  signal?: AbortSignal
  /** Docker's words: `Preparing`, `Pushing`, `Pushed`, `Mounted from …`, `Layer already exists`, `<tag>: digest: … size: …`, and aux `{Tag,Digest,Size}`. */
  report: (message: ProgressMessage) => void
}

/** Where the documents and layers of an image come from: a repository of a registry, or something like it. */
export type ImageOrigin = Pick<RemoteRepository, 'resolve' | 'fetchManifest' | 'fetchBlob'>

export interface FetchOptions {
  /** With tag or digest. What is here by its digest is not asked for again. */
  reference: Reference
  /** Decides in an index only: a single manifest is taken whatever it is for. */
  platform: Platform
  credentials?: Credentials
  /** What a tag meant when it was asked for last; if that is still here, the registry is only asked whether it means it still. */
  known?: Descriptor
  /** Instead of the registry that the reference names. */
  origin?: ImageOrigin
  /** Holds whatever comes; there are no rows that would. */
  lease: Lease
  signal: AbortSignal
}

/** An image that need not be one of the engine's. */
export interface RemoteImage {
  /** What the reference points to: manifest or index. */
  target: Descriptor
  manifest: ImageManifest
  config: ImageConfigFile
}

/** How far one layer has come. Bytes of its blob. */
export interface FetchProgress {
  layer: Digest
  phase: 'download' | 'extract'
  current: number
  total: number
  done: boolean
}

/** What `docker images --tree` and inspect's `manifests` show of one manifest of an image. */
export interface ImageManifestSummary {
  descriptor: Descriptor
  kind: 'image' | 'attestation' | 'unknown'
  /** All of its content is here. */
  available: boolean
  /** Bytes of its blobs that are here. */
  contentSize: number
  platform?: Platform
  /** The image row it is unpacked as. */
  image?: Digest
  /** Bytes as unpacked; 0 when it is not. */
  unpackedSize: number
  /** Of an attestation: the manifest it speaks of. */
  attestationFor?: Digest
}

/** Bytes on the disk, in whole blocks as `du` counts them: unpacked layers and kept blobs. */
export interface ImageDiskUsage {
  /** Everything that lies there for images, each thing once. */
  total: number
  /** All that an image needs, and how much of it others need, too. */
  of(image: Digest): { size: number; shared: number }
  /** What would be free without all images but these. */
  reclaimable(active: Iterable<Digest>): number
}

/** A row of an image or a name that does not fit what is there. */
export interface ImageProblem {
  kind: 'image' | 'reference'
  /** Image id or familiar name. */
  object: string
  text: string
  /** Names (or the id) that have to be pulled or loaded again. */
  lost: string[]
  /** Forgets what is lost. */
  mend: () => void
}

/** What a build made. All of it is stored and stacked, and held by `lease`. */
export interface EnterOptions {
  /** Digest of the config: the image's id. */
  config: Digest
  /** An image of a build that is made step by step: the one of the step before. */
  parent?: Digest | ''
  /** With tags; may be empty. */
  names: readonly Reference[]
  /** The manifest or index that the names stand for; undefined: one is made when it is pushed. */
  target?: Descriptor
  /** Configs of the target's other platforms. */
  variants?: readonly Digest[]
  lease: Lease
}

export interface LayerBlobOptions {
  /** The layer is the topmost one. */
  chain: ChainId
  compression: 'uncompressed' | 'gzip' | 'zstd'
  /** gzip 0 to 9, zstd 1 to 22; absent: the usual one. */
  level?: number
  /** A layer that came compressed in another way is compressed anew. */
  force: boolean
  /** Holds the blob. */
  lease: Lease
  signal?: AbortSignal
  /** Bytes of the uncompressed layer that have been read. */
  progress?: (bytes: number) => void
}

/** A layer's stored blob; its media type is OCI's. */
export interface LayerBlob extends Descriptor {
  diffId: Digest
}

export interface UploadOptions {
  /** Without tag: the target is pushed by its digest alone. */
  reference: Reference
  /** Blobs that are not manifests. */
  blobs: readonly { digest: Digest; size: number }[]
  /** Each after those that it lists; the last one is the target. */
  manifests: readonly Descriptor[]
  /** An image here that is known by the target's digest in this repository afterwards. */
  image?: Digest
  credentials?: Credentials
  /** The registry's certificate is not checked, and plain HTTP will do. */
  insecure?: boolean
  signal: AbortSignal
  /** As of a push; ids are whole digests. */
  report: (message: ProgressMessage) => void
}

export interface ImageService {
  /** By reference, full id or unique id prefix (`sha256:` optional). Throws NOT_FOUND `No such image: x`. */
  get(ref: string): Image
  /** Newest first. With a `reference` filter only the names that match are shown. */
  list(options: { all: boolean; filters: ImageFilters }): Image[]
  /** Newest first. */
  history(ref: string): HistoryEntry[]
  /** Throws INVALID_ARGUMENT for a bad reference, NOT_FOUND for a missing source. */
  tag(ref: string, repo: string, tag: string): Promise<void>
  /** Throws CONFLICT with Docker's texts when the image is in use; NOT_FOUND for an image or platform that is not here. */
  remove(ref: string, options: RemoveOptions): Promise<DeleteResult[]>
  /** `filters.dangling` undefined or true: only images without a tag. */
  prune(filters: ImageFilters): Promise<{ deleted: DeleteResult[]; reclaimed: number }>
  /**
   * `docker save` and OCI layout archives; gzip, zstd, bzip2, xz or plain tar. Reports one `Loaded image…` per image. Throws
   * INVALID_ARGUMENT for a bad archive; nothing of it is left then.
   */
  load(archive: Readable, options: LoadOptions): Promise<Image[]>
  /**
   * `docker save`: OCI layout with manifest.json beside it, as Docker 25 and later write it. Manifests, indexes and layers of an image that came from a registry
   * are written as they came. Throws NOT_FOUND before the first byte, for a platform that is not here, too.
   */
  save(refs: string[], options?: SaveOptions): Readable
  /**
   * Downloads an image, verified, unpacked while it comes. Throws what {@link Remotes} throws; INVALID_ARGUMENT for what is no image, NOT_FOUND `no matching
   * manifest for linux/x in the manifest list entries`. A pull that is cancelled or fails leaves no half blob, layer or name.
   */
  pull(options: PullOptions): Promise<void>
  /** Config and manifest of an image in a registry, without its layers and without making it an image of the engine's. Throws as `pull` does. */
  inspectRemote(options: FetchOptions): Promise<RemoteImage>
  /** The same with its layers, verified, unpacked and stacked. `chain`: undefined for an image without layers. */
  fetch(options: FetchOptions & { progress?: (progress: FetchProgress) => void }): Promise<RemoteImage & { chain: ChainId | undefined }>
  /** Uploads an image: the manifest or index it came as, or one made of its config and layers. Throws NOT_FOUND when it is not here. */
  push(options: PushOptions): Promise<void>
  /**
   * The image that `ref` means on `platform` (as written by the user; empty: the one last pulled or this machine's), unpacked if only its content was
   * here. Throws NOT_FOUND `image with reference x was found but does not provide the specified platform (…)`.
   */
  resolve(ref: string, platform: string, options?: { signal?: AbortSignal }): Promise<Image>
  /** The manifests of what a name points to; one for a single manifest, none for an image made here. */
  manifests(ref: string): ImageManifestSummary[]
  /** A root file system tar (compressed or not) becomes a one-layer image. Throws INVALID_ARGUMENT for a bad archive. */
  import(tar: Readable, options: ImportOptions): Promise<Image>
  /** The same with an archive that is fetched first (`http://`, `https://`; without a scheme http). Throws UNAVAILABLE, too. */
  importFrom(url: string, options: ImportOptions): Promise<Image>
  /** A writable layer becomes an image on top of `parent`. */
  commit(options: CommitOptions): Promise<Image>
  /** What a build made becomes an image; a name that stood for another one leaves it dangling. Events: `create`, and `tag` for each name. */
  enter(options: EnterOptions): Promise<Image>
  /** A layer as a stored blob of the wanted compression; made unless it is there. Equal layers give equal blobs. */
  layerBlob(options: LayerBlobOptions): Promise<LayerBlob>
  /** Uploads stored content as it is. Throws what {@link Remotes} throws. */
  upload(options: UploadOptions): Promise<void>
  /** Host directories of an image's layers, topmost first; for inspect's `GraphDriver`. Throws NOT_FOUND. */
  layerPaths(image: Digest): string[]
  /** Diff ids of the layers that images have. */
  layers(): Set<Digest>
  /** Frees what nothing needs any more, in the background: to be called when a chain of `otherChains` is given up. */
  collect(): void
  /** What images take of the disk, now. Layers that were not measured before are walked. */
  diskUsage(): Promise<ImageDiskUsage>
  /** Bytes of an image's layers that other images have too. */
  sharedSize(image: Digest): number
  /** What rows say that is not so; for `fsck`. */
  check(): ImageProblem[]
  /**
   * After a start, when the snapshotter is restored and before anything is stored: removes what interrupted ingests left, forgets images whose
   * content is gone, frees what no image names.
   */
  restore(): Promise<void>
}
