import { internal } from '#errors'
import type { Mounts } from '#kernel'
import type { DriverVolume, Volume, VolumeDriver } from '../types.ts'
import { mountCalls, needsMount, resolveAddress, verifyDriverOptions } from './driver-options.ts'
import { VolumeDirectory } from './volume-directory.ts'
import { verifyVolumeName } from './volume-name.ts'

export const LOCAL = 'local'

// include/uapi/linux/mount.h
const MS_REC = 0x4000
const MS_SLAVE = 0x80000

export interface LocalDriverDeps {
  /** Absolute; made when it is not there. */
  directory: string
  mounts: Mounts
  /** Told of a volume that cannot be looked at. */
  report?: (error: unknown) => void
}

/** Volumes that are directories, with something mounted on them where their options say so. */
export class LocalDriver implements VolumeDriver {
  readonly name: typeof LOCAL = LOCAL
  readonly #deps: LocalDriverDeps
  readonly #directory: VolumeDirectory

  constructor(deps: LocalDriverDeps) {
    this.#deps = deps
    this.#directory = new VolumeDirectory(deps.directory)
  }

  async scope(): Promise<'local'> {
    return 'local'
  }

  async create(name: string, options: Record<string, string>): Promise<DriverVolume> {
    verifyVolumeName(name)
    verifyDriverOptions(name, options)
    this.#directory.make(name)
    return this.#describe(name)
  }

  async get(name: string): Promise<DriverVolume | undefined> {
    return this.#directory.exists(name) ? this.#describe(name) : undefined
  }

  async list(): Promise<DriverVolume[]> {
    return this.#directory.names().map((name) => {
      try {
        return this.#describe(name)
      } catch (error) {
        // One bad volume: it is there, and that is all that is known.
        this.#deps.report?.(error)
        return { name, mountpoint: this.#directory.mountpoint(name), createdAt: '' }
      }
    })
  }

  async remove(volume: Volume): Promise<() => Promise<void>> {
    this.#detach(volume)
    return this.#directory.detach(volume.name)
  }

  async mount(volume: Volume): Promise<string> {
    if (needsMount(volume.options) && !this.#directory.isMounted(volume.name)) await this.#attach(volume)
    return volume.mountpoint
  }

  async unmount(volume: Volume, _id: string, last: boolean): Promise<void> {
    if (last) this.#detach(volume)
  }

  /** What a crash has left is taken away. */
  async restore(): Promise<void> {
    await this.#directory.removeLeftovers()
  }

  #describe(name: string): DriverVolume {
    return { name, mountpoint: this.#directory.mountpoint(name), createdAt: this.#directory.createdAt(name) }
  }

  async #attach(volume: Volume): Promise<void> {
    try {
      const options = await resolveAddress(volume.options)
      for (const call of mountCalls(options)) this.#deps.mounts.mount(call.source, volume.mountpoint, call.type, call.flags, call.data)
    } catch (error) {
      this.#detach(volume)
      const reason = error instanceof Error ? error.message : String(error)
      throw internal(`error while mounting volume '${volume.mountpoint}': failed to mount local volume: ${withoutPassword(reason)}`, error)
    }
  }

  /**
   * With all that is mounted below, as `rbind` brings it along: a plain unmount would be refused. First the tree is cut off from where it came from, else the
   * host's own mounts would go with it.
   */
  #detach(volume: Volume): void {
    if (!needsMount(volume.options) || !this.#directory.isMounted(volume.name)) return
    this.#deps.mounts.mount('', volume.mountpoint, '', MS_SLAVE | MS_REC, '')
    this.#deps.mounts.unmount(volume.mountpoint, { detach: true })
  }
}

/** cifs takes its password as an option; it must not show in an error. */
function withoutPassword(text: string): string {
  return text.replace(/password=[^,\s]*/g, 'password=********')
}
