/** Who has a volume and who runs with it: two sets of container ids per volume. Kept in memory; `containers/` fills it again after a restart. */
export class VolumeUsers {
  readonly #having = new Map<string, Set<string>>()
  readonly #running = new Map<string, Set<string>>()

  reference(name: string, containerId: string): void {
    add(this.#having, name, containerId)
  }

  dereference(name: string, containerId: string): void {
    take(this.#having, name, containerId)
  }

  /** In the order they came. */
  users(name: string): string[] {
    return [...(this.#having.get(name) ?? [])]
  }

  start(name: string, containerId: string): void {
    add(this.#running, name, containerId)
  }

  /** Whether that was the last running one. */
  stop(name: string, containerId: string): boolean {
    return take(this.#running, name, containerId)
  }

  isRunning(name: string): boolean {
    return this.#running.has(name)
  }
}

function add(sets: Map<string, Set<string>>, name: string, id: string): void {
  const set = sets.get(name)
  if (set === undefined) sets.set(name, new Set([id]))
  else set.add(id)
}

function take(sets: Map<string, Set<string>>, name: string, id: string): boolean {
  const set = sets.get(name)
  if (set?.delete(id) !== true || set.size > 0) return false
  sets.delete(name)
  return true
}
