/** Contracts of `volumes/`. The manual is in `index.ts`. */

export interface Volume {
  name: string
  driver: 'local'
  /** Absolute host directory. */
  mountpoint: string
  labels: Record<string, string>
  /** `type`, `device` and `o` as for mount(8); empty: a plain directory. */
  options: Record<string, string>
  /** RFC 3339. */
  createdAt: string
  anonymous: boolean
  scope: 'local'
}

export interface CreateVolumeRequest {
  /** Empty: 64 hex digits are chosen. */
  name: string
  /** Empty: `local`. */
  driver: string
  options: Record<string, string>
  labels: Record<string, string>
  anonymous?: boolean
  /** Container to count as user from the first moment, so that a prune between creation and `reference` cannot take the volume away. */
  reference?: string
}

export interface VolumeService {
  list(): Volume[]
  /** Throws NOT_FOUND `get x: no such volume`. */
  get(name: string): Volume
  /**
   * Idempotent for the same name: `created` tells whether it is new. Throws INVALID_ARGUMENT for a bad name or option, NOT_FOUND
   * `create x: error looking up volume plugin d: plugin "d" not found` for a driver other than local.
   */
  create(request: CreateVolumeRequest): Promise<{ volume: Volume; created: boolean }>
  /** Throws NOT_FOUND, and CONFLICT `remove x: volume is in use - [ids]`. `force`: a missing one is fine. */
  remove(name: string, options: { force: boolean }): Promise<void>
  /** Unused volumes: anonymous ones, or `all`. Label filters are `key` or `key=value`. `reclaimed` in bytes. */
  prune(filters: { label: string[]; labelNot: string[]; all: boolean }): Promise<{ deleted: string[]; reclaimed: number }>
  /** Bytes that it takes of the disk (whole blocks, holes not counted, hard links once), by walking. Throws NOT_FOUND. */
  usage(name: string): Promise<number>
  /** Containers that have a volume, running or not; kept by `containers/` through these two, and again after a start of the daemon. */
  reference(name: string, containerId: string): void
  dereference(name: string, containerId: string): void
  users(name: string): string[]
  /**
   * To be called before a container with the volume starts, and once for each running one after a start of the daemon: a volume with a `device` is
   * mounted at its mountpoint when the first comes. Idempotent per container. Throws INTERNAL `error while mounting volume …`.
   */
  activate(name: string, containerId: string): Promise<void>
  /** The container has ended; the last one unmounts. Never throws for a volume that is gone. */
  deactivate(name: string, containerId: string): Promise<void>
  /** Fills an empty volume with the content of `source` (a directory of an image view), keeping owner, mode, times, xattrs, hard links, devices. */
  populate(name: string, source: string): Promise<void>
  /** After a start of the daemon, before anything else: rows, directories and mounts are made to agree. */
  restore(): Promise<void>
}
