import { internal, notFound } from '#errors'
import type { DriverVolume, VolumeDriver } from '../types.ts'
import { findPlugin, pluginNames, type PluginAddress, type PluginDirectories } from './find-plugins.ts'
import { PluginClient, SHORT } from './plugin-client.ts'
import { PluginDriver } from './plugin-driver.ts'

/** What a plugin must say that it implements. */
const SERVICE = 'VolumeDriver'
const NONE: PluginDirectories = { sockets: [], specs: [] }

/** The volume plugins of this machine. A plugin is activated at its first use, and again when it is found at another address. */
export class PluginDrivers {
  readonly #directories: PluginDirectories
  readonly #active = new Map<string, { address: string; driver: PluginDriver }>()

  constructor(directories: PluginDirectories = NONE) {
    this.#directories = directories
  }

  /** Throws NOT_FOUND `error looking up volume plugin x: plugin "x" not found`, INTERNAL when it does not answer or is a plugin for something else. */
  async find(name: string): Promise<VolumeDriver> {
    const fail = `error looking up volume plugin ${name}: `
    const known = this.#active.get(name)
    let plugin: PluginAddress | undefined
    try {
      plugin = findPlugin(this.#directories, name)
    } catch (error) {
      throw internal(fail + (error as Error).message, error)
    }
    // One that is gone for the moment still has its volumes: what is asked of it says so.
    if (plugin === undefined && known !== undefined) return known.driver
    if (plugin === undefined) throw notFound(`${fail}plugin ${JSON.stringify(name)} not found`)
    if (known?.address === plugin.address) return known.driver
    const client = new PluginClient(plugin)
    const driver = new PluginDriver(name, client)
    if (!(await implementsVolumes(client, fail))) throw internal(`${fail}Plugin does not implement the requested driver`)
    this.#active.set(name, { address: plugin.address, driver })
    return driver
  }

  /** All that are there or have been used; those for other things and those that do not answer are left out. */
  async all(): Promise<VolumeDriver[]> {
    const names = new Set([...pluginNames(this.#directories), ...this.#active.keys()])
    const found = await Promise.all([...names].map((name) => this.find(name).catch(() => undefined)))
    return found.filter((driver) => driver !== undefined)
  }

  /** Volumes by driver. */
  async list(): Promise<{ found: [VolumeDriver, DriverVolume[]][]; warnings: string[] }> {
    const warnings: string[] = []
    const found = await Promise.all(
      (await this.all()).map(async (driver): Promise<[VolumeDriver, DriverVolume[]]> => {
        const failed = (error: unknown): DriverVolume[] => {
          warnings.push(`list ${driver.name}: ${(error as Error).message}`)
          return []
        }
        return [driver, await driver.list().catch(failed)]
      }),
    )
    return { found, warnings }
  }

  /** Of those that have been used. */
  names(): string[] {
    return [...this.#active.keys()]
  }
}

async function implementsVolumes(client: PluginClient, fail: string): Promise<boolean> {
  try {
    const { Implements } = await client.call('Plugin.Activate', {}, { timeout: SHORT, patient: false })
    return Array.isArray(Implements) && Implements.includes(SERVICE)
  } catch (error) {
    throw internal(fail + (error as Error).message, error)
  }
}
