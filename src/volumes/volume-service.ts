import { conflict, EngineError, internal, notFound } from '#errors'
import type { Files, Mounts } from '#kernel'
import { KeyedMutex, randomId } from '#lib'
import type { Repository } from '#metadata'
import { measureTree } from '#snapshots'
import { mountCalls, needsMount, resolveAddress, verifyDriverOptions } from './driver-options.ts'
import { copyUp } from './populate.ts'
import type { CreateVolumeRequest, Volume, VolumeService } from './types.ts'
import { VolumeDirectory } from './volume-directory.ts'
import { verifyVolumeName } from './volume-name.ts'
import { VolumeUsers } from './volume-users.ts'

export interface VolumeDeps {
  /** Absolute; made when it is not there. */
  directory: string
  repository: Repository<Volume>
  files: Files
  mounts: Mounts
}

const LOCAL = 'local'

/** Makes the service. `restore` is to be called before the first use. */
export function createVolumeService(deps: VolumeDeps): VolumeService {
  return new LocalVolumes(deps)
}

class LocalVolumes implements VolumeService {
  readonly #deps: VolumeDeps
  readonly #directory: VolumeDirectory
  readonly #users = new VolumeUsers()
  /** One change of a volume at a time, by name. */
  readonly #locks = new KeyedMutex()

  constructor(deps: VolumeDeps) {
    this.#deps = deps
    this.#directory = new VolumeDirectory(deps.directory)
  }

  list(): Volume[] {
    return this.#deps.repository.all().map(({ value }) => value)
  }

  get(name: string): Volume {
    const volume = this.#deps.repository.get(name)
    if (volume === undefined) throw notFound(`get ${name}: no such volume`)
    return volume
  }

  async create(request: CreateVolumeRequest): Promise<{ volume: Volume; created: boolean }> {
    const name = request.name === '' ? randomId() : request.name
    using _lock = await this.#locks.lock(name)
    const driver = request.driver === '' ? LOCAL : request.driver
    if (driver !== LOCAL) {
      throw notFound(`create ${name}: error looking up volume plugin ${driver}: plugin ${JSON.stringify(driver)} not found`)
    }
    const existing = this.#deps.repository.get(name)
    if (existing === undefined) {
      verifyVolumeName(name)
      verifyDriverOptions(name, request.options)
    }
    const volume = existing ?? this.#make(name, request)
    if (request.reference !== undefined) this.#users.reference(name, request.reference)
    return { volume, created: existing === undefined }
  }

  /** Directory before row: a row always has its directory, and a directory without row is adopted by `restore`. */
  #make(name: string, request: CreateVolumeRequest): Volume {
    this.#directory.make(name)
    const volume = this.#describe(name, request)
    this.#deps.repository.put(name, volume)
    return volume
  }

  #describe(name: string, request: Pick<CreateVolumeRequest, 'labels' | 'options' | 'anonymous'>): Volume {
    return {
      name,
      driver: LOCAL,
      mountpoint: this.#directory.mountpoint(name),
      labels: request.labels,
      options: request.options,
      createdAt: this.#directory.createdAt(name),
      anonymous: request.anonymous ?? false,
      scope: 'local',
    }
  }

  async remove(name: string, options: { force: boolean }): Promise<void> {
    let deleteData: () => Promise<void>
    {
      using _lock = await this.#locks.lock(name)
      const volume = this.#deps.repository.get(name)
      if (volume === undefined) {
        if (options.force) return
        throw notFound(`get ${name}: no such volume`)
      }
      const users = this.#users.users(name)
      if (users.length > 0) throw conflict(`remove ${name}: volume is in use - [${users.join(', ')}]`)
      this.#unmount(volume)
      deleteData = this.#directory.detach(name)
      this.#deps.repository.delete(name)
    }
    await deleteData()
  }

  async prune(filters: { label: string[]; labelNot: string[]; all: boolean }): Promise<{ deleted: string[]; reclaimed: number }> {
    const deleted: string[] = []
    let reclaimed = 0
    for (const volume of this.list()) {
      const { name, labels } = volume
      if (this.#users.users(name).length > 0 || (!filters.all && !volume.anonymous)) continue
      if (!filters.label.every((filter) => matches(labels, filter)) || filters.labelNot.some((filter) => matches(labels, filter))) continue
      try {
        const { size } = await measureTree(volume.mountpoint)
        await this.remove(name, { force: false })
        deleted.push(name)
        reclaimed += size
      } catch (error) {
        // Taken into use or removed by someone else meanwhile: not ours to prune any more.
        if (!(error instanceof EngineError && (error.code === 'CONFLICT' || error.code === 'NOT_FOUND'))) throw error
      }
    }
    return { deleted, reclaimed }
  }

  async usage(name: string): Promise<number> {
    return (await measureTree(this.get(name).mountpoint)).disk
  }

  reference(name: string, containerId: string): void {
    this.#users.reference(name, containerId)
  }

  dereference(name: string, containerId: string): void {
    this.#users.dereference(name, containerId)
  }

  users(name: string): string[] {
    return this.#users.users(name)
  }

  async activate(name: string, containerId: string): Promise<void> {
    using _lock = await this.#locks.lock(name)
    const volume = this.get(name)
    await this.#mount(volume)
    this.#users.start(name, containerId)
  }

  async deactivate(name: string, containerId: string): Promise<void> {
    using _lock = await this.#locks.lock(name)
    const volume = this.#deps.repository.get(name)
    if (this.#users.stop(name, containerId) && volume !== undefined) this.#unmount(volume)
  }

  async populate(name: string, source: string): Promise<void> {
    using _lock = await this.#locks.lock(name)
    const volume = this.get(name)
    await this.#mount(volume)
    try {
      await copyUp(this.#deps.files, source, volume.mountpoint)
    } finally {
      if (!this.#users.isRunning(name)) this.#unmount(volume)
    }
  }

  /** Rows whose directory is gone go too; directories without a row (a crash, a lost database) become volumes again: they may hold data. */
  async restore(): Promise<void> {
    await this.#directory.removeLeftovers()
    for (const { name } of this.list()) if (!this.#directory.exists(name)) this.#deps.repository.delete(name)
    for (const name of this.#directory.names()) {
      if (this.#deps.repository.get(name) === undefined) this.#deps.repository.put(name, this.#describe(name, { labels: {}, options: {} }))
    }
  }

  async #mount(volume: Volume): Promise<void> {
    if (!needsMount(volume.options) || this.#directory.isMounted(volume.name)) return
    try {
      const options = await resolveAddress(volume.options)
      for (const call of mountCalls(options)) this.#deps.mounts.mount(call.source, volume.mountpoint, call.type, call.flags, call.data)
    } catch (error) {
      this.#unmount(volume)
      const reason = error instanceof Error ? error.message : String(error)
      throw internal(`error while mounting volume '${volume.mountpoint}': failed to mount local volume: ${withoutPassword(reason)}`, error)
    }
  }

  #unmount(volume: Volume): void {
    if (needsMount(volume.options) && this.#directory.isMounted(volume.name)) this.#deps.mounts.unmount(volume.mountpoint)
  }
}

/** cifs takes its password as an option; it must not show in an error. */
function withoutPassword(text: string): string {
  return text.replace(/password=[^,\s]*/g, 'password=********')
}

function matches(labels: Record<string, string>, filter: string): boolean {
  const at = filter.indexOf('=')
  if (at < 0) return Object.hasOwn(labels, filter)
  return labels[filter.slice(0, at)] === filter.slice(at + 1)
}
