/** Contracts of `images/`. The manual is in `index.ts`. */

import type { Readable } from 'node:stream'
import type { Descriptor, Digest, ImageConfigFile } from '#oci'
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

export interface ImageService {
  /** By reference, full id or unique id prefix (`sha256:` optional). Throws NOT_FOUND `No such image: x`. */
  get(ref: string): Image
  list(options: { all: boolean; filters: ImageFilters }): Image[]
  history(ref: string): HistoryEntry[]
  /** Throws INVALID_ARGUMENT for a bad reference, NOT_FOUND for a missing source. */
  tag(ref: string, repo: string, tag: string): Promise<void>
  remove(ref: string, options: { force: boolean; prune: boolean }): Promise<DeleteResult[]>
  prune(filters: ImageFilters): Promise<{ deleted: DeleteResult[]; reclaimed: number }>
  /** `docker save` and OCI layout archives; gzip, zstd or plain tar. Reports one `Loaded image…` per image. */
  load(archive: Readable, options: { quiet: boolean; signal?: AbortSignal; report: (message: ProgressMessage) => void }): Promise<Image[]>
  /** `docker save`: OCI layout with manifest.json beside it, as Docker 25 and later write it. */
  save(refs: string[]): Readable
  /** A root file system tar becomes a one-layer image. `changes`: Dockerfile instructions (`CMD …`, `ENV …`). */
  import(
    tar: Readable,
    options: { repo: string; tag: string; message: string; changes: string[]; platform?: string; signal?: AbortSignal },
  ): Promise<Image>
  /** A writable layer becomes an image on top of `parent`. */
  commit(options: {
    key: string
    parent: Digest | ''
    config: ImageConfigFile['config']
    repo: string
    tag: string
    comment: string
    author: string
    createdBy: string
    changes: string[]
  }): Promise<Image>
  /** Bytes of all layers, shared ones once. */
  layersSize(): number
  /** Bytes of an image shared with others. */
  sharedSize(image: Digest): number
  restore(): Promise<void>
}
