import { notFound } from '#errors'
import { deferred, type Deferred } from '#lib'
import type { Task } from '#runtime'
import type { Clock } from './context.ts'
import type { ContainerEntry } from './entry.ts'
import type { Exec } from './types.ts'

/** Ended execs can be inspected this long, as with Docker. */
const KEPT_NS = 5n * 60n * 1_000_000_000n

/** An exec: what inspect shows, and its process while there is one. */
export interface ExecEntry {
  readonly entry: ContainerEntry
  exec: Exec
  task: Task | undefined
  /** Resolves when the exit code is known. */
  readonly settled: Deferred<void>
  /** Nanoseconds since the epoch; undefined: not ended. */
  endedAt: bigint | undefined
}

/** All execs of the daemon, in memory only: an exec does not outlive the daemon that was asked for it. */
export class ExecStore {
  readonly #execs = new Map<string, ExecEntry>()
  readonly #clock: Pick<Clock, 'now'>

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock
  }

  add(entry: ContainerEntry, exec: Exec): ExecEntry {
    this.#sweep()
    const item: ExecEntry = { entry, exec, task: undefined, settled: deferred(), endedAt: undefined }
    this.#execs.set(exec.id, item)
    return item
  }

  /** By full id. Throws NOT_FOUND, also once the container is gone. */
  get(id: string): ExecEntry {
    const found = this.#execs.get(id)
    if (found === undefined || found.entry.removed) throw notFound(`No such exec instance: ${id}`)
    return found
  }

  /** Created or running execs of a container. */
  liveOf(entry: ContainerEntry): string[] {
    return [...this.#execs.values()].filter((item) => item.entry === entry && item.endedAt === undefined).map(({ exec }) => exec.id)
  }

  /** The container's process has ended: execs that never started go; those that ran end with it by themselves. */
  forget(entry: ContainerEntry): void {
    for (const [id, item] of this.#execs)
      if (item.entry === entry && !item.exec.running && item.endedAt === undefined) this.#execs.delete(id)
  }

  delete(id: string): void {
    this.#execs.delete(id)
  }

  /** Drops what ended long ago. Done when an exec is added, so that no timer is needed. */
  #sweep(): void {
    const limit = this.#clock.now() - KEPT_NS
    for (const [id, { endedAt }] of this.#execs) {
      // Insertion order is about the order of ending; live ones in between are skipped.
      if (endedAt !== undefined && endedAt < limit) this.#execs.delete(id)
    }
  }
}
