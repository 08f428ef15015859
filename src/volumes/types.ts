/** Contracts of `volumes/`. The manual is in `index.ts`. */

export interface Volume {
  name: string
  driver: 'local'
  /** Absolute host directory. */
  mountpoint: string
  labels: Record<string, string>
  options: Record<string, string>
  /** RFC 3339. */
  createdAt: string
  anonymous: boolean
  scope: 'local'
}

export interface VolumeService {
  list(): Volume[]
  /** Throws NOT_FOUND `get x: no such volume`. */
  get(name: string): Volume
  /** Idempotent for the same name and driver. Name empty: 64 hex digits are chosen. */
  create(request: { name: string; driver: string; options: Record<string, string>; labels: Record<string, string>; anonymous?: boolean }): Promise<{
    volume: Volume
    created: boolean
  }>
  /** Throws CONFLICT `remove x: volume is in use - [ids]`. `force`: a missing one is fine. */
  remove(name: string, options: { force: boolean }): Promise<void>
  prune(filters: { label: string[]; labelNot: string[]; all: boolean }): Promise<{ deleted: string[]; reclaimed: number }>
  /** Bytes, by walking. */
  usage(name: string): Promise<number>
  /** Containers that mount a volume; kept by `containers/` through these two. */
  reference(name: string, containerId: string): void
  dereference(name: string, containerId: string): void
  users(name: string): string[]
  /** Fills an empty volume with the content of `source` (a directory of an image view), keeping owner, mode, times, xattrs. */
  populate(name: string, source: string): Promise<void>
}
