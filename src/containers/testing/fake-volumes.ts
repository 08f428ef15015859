import { conflict, notFound } from '#errors'
import type { Volume, VolumeService } from '#volumes'

/** Volumes in memory. `active` and `populated` tell what was asked for. */
export class FakeVolumes implements VolumeService {
  readonly volumes: Map<string, Volume> = new Map()
  readonly active: Set<string> = new Set()
  readonly populated: string[] = []
  readonly #users = new Map<string, Set<string>>()

  known(): Volume[] {
    return [...this.volumes.values()]
  }

  async list(): ReturnType<VolumeService['list']> {
    return { volumes: this.known(), warnings: [] }
  }

  async get(name: string): Promise<Volume> {
    const volume = this.volumes.get(name)
    if (volume === undefined) throw notFound(`get ${name}: no such volume`)
    return volume
  }

  drivers(): string[] {
    return ['local']
  }

  async create(request: Parameters<VolumeService['create']>[0]): ReturnType<VolumeService['create']> {
    const { name, options, labels, anonymous = false, reference } = request
    const created = !this.volumes.has(name)
    const volume: Volume = {
      name,
      driver: 'local',
      mountpoint: `/volumes/${name}/_data`,
      labels,
      options,
      createdAt: '2024-01-01T00:00:00Z',
      anonymous,
      scope: 'local',
    }
    if (created) this.volumes.set(name, volume)
    if (reference !== undefined) this.reference(name, reference)
    return { volume: await this.get(name), created }
  }

  async remove(name: string): Promise<Volume | undefined> {
    if (this.users(name).length > 0) throw conflict(`remove ${name}: volume is in use - [${this.users(name).join(', ')}]`)
    const volume = this.volumes.get(name)
    this.volumes.delete(name)
    return volume
  }

  async prune(): ReturnType<VolumeService['prune']> {
    return { deleted: [], reclaimed: 0 }
  }

  async usage(): Promise<number> {
    return 0
  }

  reference(name: string, containerId: string): void {
    this.#users.set(name, new Set([...this.users(name), containerId]))
  }

  dereference(name: string, containerId: string): void {
    this.#users.get(name)?.delete(containerId)
  }

  users(name: string): string[] {
    return [...(this.#users.get(name) ?? [])]
  }

  async activate(name: string): Promise<string> {
    this.active.add(name)
    return `/volumes/${name}/_data`
  }

  async deactivate(name: string): Promise<void> {
    this.active.delete(name)
  }

  async populate(name: string): Promise<void> {
    this.populated.push(name)
  }

  async restore(): Promise<void> {}
}
