import { conflict, notFound } from '#errors'
import type { Volume, VolumeService } from '#volumes'

/** Volumes in memory. `active` and `populated` tell what was asked for. */
export class FakeVolumes implements VolumeService {
  readonly volumes: Map<string, Volume> = new Map()
  readonly active: Set<string> = new Set()
  readonly populated: string[] = []
  readonly #users = new Map<string, Set<string>>()

  list(): Volume[] {
    return [...this.volumes.values()]
  }

  get(name: string): Volume {
    const volume = this.volumes.get(name)
    if (volume === undefined) throw notFound(`get ${name}: no such volume`)
    return volume
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
    return { volume: this.get(name), created }
  }

  async remove(name: string): Promise<void> {
    if (this.users(name).length > 0) throw conflict(`remove ${name}: volume is in use - [${this.users(name).join(', ')}]`)
    this.volumes.delete(name)
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

  async activate(name: string): Promise<void> {
    this.active.add(name)
  }

  async deactivate(name: string): Promise<void> {
    this.active.delete(name)
  }

  async populate(name: string): Promise<void> {
    this.populated.push(name)
  }

  async restore(): Promise<void> {}
}
