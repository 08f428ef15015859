import { internal } from '#errors'
import type { DriverVolume, Volume, VolumeDriver } from '../types.ts'
import { LONG, PluginError, SHORT, type PluginClient } from './plugin-client.ts'

/**
 * Volumes of a plugin: the calls `VolumeDriver.*`. A volume that the plugin does not know is told by an error without a code, so every error of `Get` counts
 * as that; a plugin that cannot be reached is an error. Source: docs.docker.com, "Docker volume plugins".
 */
export class PluginDriver implements VolumeDriver {
  readonly name: string
  readonly #client: PluginClient
  #scope: 'local' | 'global' | undefined

  constructor(name: string, client: PluginClient) {
    this.name = name
    this.#client = client
  }

  /** `Capabilities` is no required call. */
  async scope(): Promise<'local' | 'global'> {
    if (this.#scope !== undefined) return this.#scope
    try {
      const { Capabilities } = await this.#call('Capabilities', {}, false)
      const { Scope } = (Capabilities ?? {}) as Record<string, unknown>
      this.#scope = String(Scope).toLowerCase() === 'global' ? 'global' : 'local'
    } catch (error) {
      if (!(error instanceof PluginError)) return 'local'
      this.#scope = 'local'
    }
    return this.#scope
  }

  async create(name: string, options: Record<string, string>): Promise<DriverVolume> {
    await this.#tell(`create ${name}`, 'Create', { Name: name, Opts: options })
    return (await this.get(name)) ?? { name, mountpoint: '', createdAt: '' }
  }

  async get(name: string): Promise<DriverVolume | undefined> {
    try {
      const { Volume } = await this.#call('Get', { Name: name }, false)
      return volumeOf(Volume)
    } catch (error) {
      if (error instanceof PluginError) return undefined
      const text = `error while checking if volume ${JSON.stringify(name)} exists in driver ${JSON.stringify(this.name)}`
      throw internal(`get ${name}: ${text}: ${(error as Error).message}`, error)
    }
  }

  async list(): Promise<DriverVolume[]> {
    const { Volumes } = await this.#call('List', {}, false)
    return Array.isArray(Volumes) ? Volumes.flatMap((entry) => volumeOf(entry) ?? []) : []
  }

  async remove({ name }: Volume): Promise<() => Promise<void>> {
    await this.#tell(`remove ${name}`, 'Remove', { Name: name })
    return () => Promise.resolve()
  }

  async mount({ name }: Volume, id: string): Promise<string> {
    const { Mountpoint } = await this.#tell(`error while mounting volume '${name}'`, 'Mount', { Name: name, ID: id })
    if (typeof Mountpoint === 'string' && Mountpoint.startsWith('/')) return Mountpoint
    throw internal(`error while mounting volume '${name}': plugin ${this.name} gave no absolute path: ${JSON.stringify(Mountpoint)}`)
  }

  async unmount({ name }: Volume, id: string): Promise<void> {
    await this.#tell(`error unmounting volume ${name}`, 'Unmount', { Name: name, ID: id })
  }

  async #tell(operation: string, method: string, body: object): Promise<Record<string, unknown>> {
    try {
      return await this.#call(method, body, true)
    } catch (error) {
      throw internal(`${operation}: ${(error as Error).message}`, error)
    }
  }

  #call(method: string, body: object, patient: boolean): Promise<Record<string, unknown>> {
    const timeout = method === 'Create' || method === 'Mount' ? LONG : SHORT
    return this.#client.call(`VolumeDriver.${method}`, body, { timeout, patient })
  }
}

/** What a plugin says may be anything. */
function volumeOf(told: unknown): DriverVolume | undefined {
  if (typeof told !== 'object' || told === null) return undefined
  const { Name, Mountpoint, CreatedAt, Status } = told as Record<string, unknown>
  if (typeof Name !== 'string' || Name === '') return undefined
  return {
    name: Name,
    mountpoint: typeof Mountpoint === 'string' ? Mountpoint : '',
    createdAt: typeof CreatedAt === 'string' ? CreatedAt : '',
    ...(typeof Status === 'object' && Status !== null && { status: Status as Record<string, unknown> }),
  }
}
