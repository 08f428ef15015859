/** Contracts of `volumes/`. The manual is in `index.ts`. */

export interface Volume {
  name: string
  driver: string
  /** Absolute host directory. Of a plugin's volume: where it is mounted now, or empty. */
  mountpoint: string
  labels: Record<string, string>
  /** Of the local driver: `type`, `device` and `o` as for mount(8), `idmap`; empty: a plain directory. */
  options: Record<string, string>
  /** RFC 3339; empty where a plugin does not tell. */
  createdAt: string
  anonymous: boolean
  scope: 'local' | 'global'
  /** What a plugin tells of it; only from `get`. */
  status?: Record<string, unknown>
}

export interface CreateVolumeRequest {
  /** Empty: 64 hex digits are chosen. */
  name: string
  /** Empty: that of the volume there is, else `local`. */
  driver: string
  options: Record<string, string>
  labels: Record<string, string>
  anonymous?: boolean
  /** Container to count as user from the first moment, so that a prune between creation and `reference` cannot take the volume away. */
  reference?: string
}

export interface VolumeService {
  /** Volumes that are known here, without asking plugins. */
  known(): Volume[]
  /** Also those of plugins that were not made here. `warnings` tells of plugins that do not answer. */
  list(): Promise<{ volumes: Volume[]; warnings: string[] }>
  /** Throws NOT_FOUND `get x: no such volume`. */
  get(name: string): Promise<Volume>
  /**
   * Idempotent for the same name: `created` tells whether it is new. Throws INVALID_ARGUMENT for a bad name or option, NOT_FOUND
   * `create x: error looking up volume plugin d: plugin "d" not found`, CONFLICT when another driver has the name, INTERNAL for a plugin's own error.
   */
  create(request: CreateVolumeRequest): Promise<{ volume: Volume; created: boolean }>
  /**
   * The volume that was removed. Throws NOT_FOUND, and CONFLICT `remove x: volume is in use - [ids]`. `force`: a missing one is fine, and one whose plugin
   * fails is forgotten.
   */
  remove(name: string, options: { force: boolean }): Promise<Volume | undefined>
  /**
   * Unused volumes of the local driver without options: anonymous ones, or `all`. Label filters are `key` or `key=value`. `reclaimed` in bytes. Throws
   * CONFLICT while another prune goes on.
   */
  prune(filters: { label: string[]; labelNot: string[]; all: boolean }): Promise<{ deleted: string[]; reclaimed: number }>
  /** Bytes that a volume of the local driver takes of the disk (whole blocks, holes not counted, hard links once), by walking. Throws NOT_FOUND. */
  usage(name: string): Promise<number>
  /** Names of the drivers: `local` and the plugins that have been used. */
  drivers(): string[]
  /** Containers that have a volume, running or not; kept by `containers/` through these two, and again after a start of the daemon. */
  reference(name: string, containerId: string): void
  dereference(name: string, containerId: string): void
  users(name: string): string[]
  /**
   * To be called before a container with the volume starts, and once for each running one after a start of the daemon: a volume with a `device` is
   * mounted at its mountpoint when the first comes, a plugin is asked to mount its own for each. Idempotent per container. Gives the directory to
   * mount. Throws INTERNAL `error while mounting volume …`.
   */
  activate(name: string, containerId: string): Promise<string>
  /** The container has ended; the last one unmounts. Never throws for a volume that is gone or a plugin that fails. */
  deactivate(name: string, containerId: string): Promise<void>
  /**
   * Fills an empty volume, or the empty directory `subpath` of it, with the content of `source` (a directory of an image view), keeping owner, mode, times,
   * xattrs, hard links, devices. All or nothing: cut off, it is begun anew or brought to its end by the next one. A `subpath` that is not there is left.
   */
  populate(name: string, source: string, subpath?: string): Promise<void>
  /** After a start of the daemon, before anything else: rows, directories and mounts are made to agree. */
  restore(): Promise<void>
}

/** A volume as its driver tells it. */
export interface DriverVolume {
  name: string
  /** Empty: not known. */
  mountpoint: string
  createdAt: string
  status?: Record<string, unknown>
}

/** What keeps volumes: the local directories, or a plugin. One call per volume at a time. */
export interface VolumeDriver {
  readonly name: string
  scope(): Promise<'local' | 'global'>
  /** Throws what the user should read, without `create x: ` in front of it. */
  create(name: string, options: Record<string, string>): Promise<DriverVolume>
  /** undefined: it has no such volume. */
  get(name: string): Promise<DriverVolume | undefined>
  list(): Promise<DriverVolume[]>
  /** Gives what is left to do when the volume is gone for everybody else. */
  remove(volume: Volume): Promise<() => Promise<void>>
  /** `id` is one of those that use it now. Gives the directory. */
  mount(volume: Volume, id: string): Promise<string>
  /** `last`: nobody else uses it now. */
  unmount(volume: Volume, id: string, last: boolean): Promise<void>
}
