import { closeSync, constants } from 'node:fs'
import { conflict, EngineError, internal, notFound } from '#errors'
import type { Files, Mounts } from '#kernel'
import { KeyedMutex, randomId } from '#lib'
import type { Repository } from '#metadata'
import { measureTree } from '#snapshots'
import { copyUp, finishCopyUp } from './copy-up.ts'
import { LOCAL, LocalDriver } from './local/local-driver.ts'
import type { PluginDirectories } from './plugins/find-plugins.ts'
import { PluginDrivers } from './plugins/plugin-drivers.ts'
import type { CreateVolumeRequest, DriverVolume, Volume, VolumeDriver, VolumeService } from './types.ts'
import { VolumeUsers } from './volume-users.ts'

export interface VolumeDeps {
  /** Absolute; made when it is not there. */
  directory: string
  repository: Repository<VolumeRow>
  files: Files
  mounts: Mounts
  /** Where plugins are looked for; absent: there are none. */
  plugins?: PluginDirectories
  /** Told of what goes wrong where nobody waits for an answer. */
  report?: (error: unknown) => void
}

/** A volume as it is kept. */
export interface VolumeRow extends Volume {
  /** Where a plugin has mounted it, by container: asked once for each, and to be taken back by a later daemon. */
  mounted?: Record<string, string>
  /**
   * A copy is under way, or was cut off, in this directory below the volume (empty: the volume's own). What looks like the rest of a copy counts only then:
   * anybody who can write the volume can make it.
   */
  filling?: string
}

/** Docker's mark of a volume that was made without a name. */
const ANONYMOUS_LABEL = 'com.docker.volume.anonymous'

/** Makes the service. `restore` is to be called before the first use. */
export function createVolumeService(deps: VolumeDeps): VolumeService {
  return new Volumes(deps)
}

class Volumes implements VolumeService {
  readonly #deps: VolumeDeps
  readonly #local: LocalDriver
  readonly #plugins: PluginDrivers
  readonly #users = new VolumeUsers()
  /** One change of a volume at a time, by name. */
  readonly #locks = new KeyedMutex()
  #isPruning = false

  constructor(deps: VolumeDeps) {
    this.#deps = deps
    this.#local = new LocalDriver(deps)
    this.#plugins = new PluginDrivers(deps.plugins)
  }

  known(): Volume[] {
    return this.#rows().map(publicPart)
  }

  async list(): Promise<{ volumes: Volume[]; warnings: string[] }> {
    const volumes = new Map(this.known().map((volume) => [volume.name, volume]))
    const { found, warnings } = await this.#plugins.list()
    for (const [driver, list] of found) {
      const scope = await driver.scope()
      for (const told of list) {
        const row = volumes.get(told.name)
        // Of two drivers with the same name the volume that is known here counts.
        if (row === undefined) volumes.set(told.name, foreign(driver.name, scope, told))
        else if (row.driver === driver.name) volumes.set(told.name, { ...row, mountpoint: told.mountpoint || row.mountpoint })
      }
    }
    return { volumes: [...volumes.values()], warnings }
  }

  async get(name: string): Promise<Volume> {
    const row = this.#deps.repository.get(name)
    if (row?.driver === LOCAL) return publicPart(row)
    if (row === undefined) return await this.#search(name)
    const told = await (await this.#plugins.find(row.driver)).get(name)
    if (told === undefined) throw notFound(`get ${name}: no such volume`)
    return { ...publicPart(row), ...newsOf(told) }
  }

  async create(request: CreateVolumeRequest): Promise<{ volume: Volume; created: boolean }> {
    const name = request.name === '' ? randomId() : request.name
    using _lock = await this.#locks.lock(name)
    const existing = this.#deps.repository.get(name)
    if (existing !== undefined && request.driver !== '' && request.driver !== existing.driver) {
      await this.#driver(request.driver, `create ${name}: `)
      throw conflict(`create ${name}: driver '${existing.driver}' already has volume '${name}': volume name must be unique`)
    }
    const volume = existing ?? (await this.#make(name, request))
    if (request.reference !== undefined) this.#users.reference(name, request.reference)
    return { volume: publicPart(volume), created: existing === undefined }
  }

  /** The volume before its row: a row always has a volume, and a directory without a row is adopted by `restore`. */
  async #make(name: string, request: CreateVolumeRequest): Promise<VolumeRow> {
    const driver = await this.#driverFor(name, request.driver, request.name === '' || request.anonymous === true)
    const told = (driver === this.#local ? undefined : await driver.get(name)) ?? (await driver.create(name, request.options))
    const anonymous = request.anonymous ?? false
    const volume: VolumeRow = {
      ...foreign(driver.name, await driver.scope(), { ...told, name }),
      labels: anonymous ? { ...request.labels, [ANONYMOUS_LABEL]: '' } : request.labels,
      options: request.options,
      anonymous,
    }
    delete volume.status
    this.#deps.repository.put(name, volume)
    return volume
  }

  /** Without a driver asked for: the plugin that has a volume of the name, else the local one. */
  async #driverFor(name: string, driver: string, isRandom: boolean): Promise<VolumeDriver> {
    if (driver !== '') return await this.#driver(driver, `create ${name}: `)
    // A name that was just made up is nobody's.
    const found = isRandom ? undefined : await this.#search(name).catch(nothingThere)
    return found === undefined ? this.#local : await this.#driver(found.driver, `create ${name}: `)
  }

  async remove(name: string, options: { force: boolean }): Promise<Volume | undefined> {
    let finish: () => Promise<void>
    let volume: VolumeRow
    {
      using _lock = await this.#locks.lock(name)
      const found = this.#deps.repository.get(name) ?? (await this.#search(name).catch(nothingThere))
      if (found === undefined && options.force) return undefined
      if (found === undefined) throw notFound(`get ${name}: no such volume`)
      volume = found
      const users = this.#users.users(name)
      if (users.length > 0) throw conflict(`remove ${name}: volume is in use - [${users.join(', ')}]`)
      finish = await this.#removeFromDriver(volume, options)
      this.#deps.repository.delete(name)
    }
    await finish()
    return publicPart(volume)
  }

  /** With force a volume of a plugin that fails is forgotten: the plugin may be gone for ever. */
  async #removeFromDriver(volume: Volume, { force }: { force: boolean }): Promise<() => Promise<void>> {
    try {
      return await (await this.#driver(volume.driver, `remove ${volume.name}: `)).remove(volume)
    } catch (error) {
      if (!force || volume.driver === LOCAL) throw error
      this.#deps.report?.(error)
      return () => Promise.resolve()
    }
  }

  async prune(filters: { label: string[]; labelNot: string[]; all: boolean }): Promise<{ deleted: string[]; reclaimed: number }> {
    if (this.#isPruning) throw conflict('a prune operation is already running')
    this.#isPruning = true
    try {
      return await this.#prune(filters)
    } finally {
      this.#isPruning = false
    }
  }

  async #prune(filters: { label: string[]; labelNot: string[]; all: boolean }): Promise<{ deleted: string[]; reclaimed: number }> {
    const deleted: string[] = []
    let reclaimed = 0
    for (const volume of this.known()) {
      const { name, driver, labels, options } = volume
      // What a device or a plugin holds takes no space here, and may be all there is of it.
      if (driver !== LOCAL || Object.keys(options).length > 0) continue
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
    return (await measureTree(this.#row(name).mountpoint)).disk
  }

  drivers(): string[] {
    return [LOCAL, ...this.#plugins.names()].sort()
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

  async activate(name: string, containerId: string): Promise<string> {
    using _lock = await this.#locks.lock(name)
    return await this.#mount(this.#row(name), containerId)
  }

  async deactivate(name: string, containerId: string): Promise<void> {
    using _lock = await this.#locks.lock(name)
    const row = this.#deps.repository.get(name)
    if (row !== undefined) await this.#unmount(row, containerId).catch((error: unknown) => this.#deps.report?.(error))
  }

  async populate(name: string, source: string, subpath = ''): Promise<void> {
    using _lock = await this.#locks.lock(name)
    const user = `populate-${randomId()}`
    const volume = await this.#mount(this.#row(name), user)
    const begin = (): void => this.#deps.repository.put(name, { ...this.#row(name), filling: subpath })
    try {
      await this.#within(volume, subpath, async (directory) => {
        // Cut off by an error, the row goes on saying so: the next mount clears away.
        if (await copyUp(this.#deps.files, source, directory, begin)) this.#endFilling(name)
      })
    } finally {
      await this.#unmount(this.#row(name), user)
    }
  }

  #endFilling(name: string): void {
    const row = { ...this.#row(name) }
    delete row.filling
    this.#deps.repository.put(name, row)
  }

  /** Gives `work` the directory `subpath` of a volume, looked up inside of it. */
  async #within(directory: string, subpath: string, work: (directory: string) => Promise<void>): Promise<void> {
    if (subpath === '') return await work(directory)
    const { files } = this.#deps
    using root = files.openRoot(directory)
    let inside: number
    try {
      inside = files.openInRoot(root.fd, subpath, constants.O_RDONLY | constants.O_DIRECTORY)
    } catch {
      return // Not there, or a file: the start of the container will say so.
    }
    try {
      await work(`/proc/self/fd/${inside}/.`)
    } finally {
      closeSync(inside)
    }
  }

  /** Rows whose directory is gone go too; directories without a row (a crash, a lost database) become volumes again: they may hold data. */
  async restore(): Promise<void> {
    await this.#local.restore()
    const found = new Map((await this.#local.list()).map((volume) => [volume.name, volume]))
    for (const { name, driver } of this.known()) if (driver === LOCAL && !found.has(name)) this.#deps.repository.delete(name)
    for (const [name, told] of found) {
      if (this.#deps.repository.get(name) === undefined) this.#deps.repository.put(name, foreign(LOCAL, 'local', told))
    }
  }

  async #mount(row: VolumeRow, id: string): Promise<string> {
    const before = row.mounted?.[id]
    const path = before ?? (await (await this.#driver(row.driver, '')).mount(row, id))
    if (row.driver !== LOCAL && before === undefined) {
      this.#deps.repository.put(row.name, { ...row, mountpoint: path, mounted: { ...row.mounted, [id]: path } })
    }
    this.#users.start(row.name, id)
    try {
      await this.#finishFilling(row, path)
    } catch (error) {
      await this.#unmount(this.#row(row.name), id)
      throw error
    }
    return path
  }

  /** No container sees a copy that was cut off. */
  async #finishFilling({ name, filling }: VolumeRow, directory: string): Promise<void> {
    if (filling === undefined) return
    await this.#within(directory, filling, (path) => finishCopyUp(this.#deps.files, path))
    this.#endFilling(name)
  }

  async #unmount(row: VolumeRow, id: string): Promise<void> {
    const last = this.#users.stop(row.name, id)
    if (row.driver !== LOCAL) {
      if (row.mounted?.[id] === undefined) return
      const mounted = { ...row.mounted }
      delete mounted[id]
      this.#deps.repository.put(row.name, { ...row, mounted, mountpoint: Object.values(mounted)[0] ?? '' })
    } else if (!last) return
    await (await this.#driver(row.driver, '')).unmount(row, id, last)
  }

  async #driver(name: string, operation: string): Promise<VolumeDriver> {
    if (name === LOCAL) return this.#local
    try {
      return await this.#plugins.find(name)
    } catch (error) {
      if (!(error instanceof EngineError)) throw internal(`${operation}${String(error)}`, error)
      throw new EngineError(error.code, operation + error.message, { cause: error })
    }
  }

  /** A volume that nobody made here: the first plugin that has it. All are asked at once, as one may be slow; whatever name it tells, this is the one asked for. */
  async #search(name: string): Promise<Volume> {
    const drivers = await this.#plugins.all()
    const answers = await Promise.all(drivers.map((driver) => driver.get(name).catch(() => undefined)))
    for (const [index, driver] of drivers.entries()) {
      const told = answers[index]
      if (told !== undefined) return foreign(driver.name, await driver.scope(), { ...told, name })
    }
    throw notFound(`get ${name}: no such volume`)
  }

  #rows(): VolumeRow[] {
    return this.#deps.repository.all().map(({ value }) => value)
  }

  #row(name: string): VolumeRow {
    const row = this.#deps.repository.get(name)
    if (row === undefined) throw notFound(`get ${name}: no such volume`)
    return row
  }
}

function foreign(driver: string, scope: Volume['scope'], told: DriverVolume): Volume {
  return { labels: {}, options: {}, anonymous: false, driver, scope, ...told }
}

/** What a plugin knows better than the row. */
function newsOf({ mountpoint, createdAt, status }: DriverVolume): Partial<Volume> {
  return { ...(mountpoint !== '' && { mountpoint }), ...(createdAt !== '' && { createdAt }), ...(status !== undefined && { status }) }
}

function publicPart(row: VolumeRow): Volume {
  const volume = { ...row }
  delete volume.mounted
  delete volume.filling
  return volume
}

function nothingThere(error: unknown): undefined {
  if (!(error instanceof EngineError && error.code === 'NOT_FOUND')) throw error
}

function matches(labels: Record<string, string>, filter: string): boolean {
  const at = filter.indexOf('=')
  if (at < 0) return Object.hasOwn(labels, filter)
  return labels[filter.slice(0, at)] === filter.slice(at + 1)
}
