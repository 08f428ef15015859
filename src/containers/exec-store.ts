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

/**
 * All execs of the daemon, in memory only: an exec does not outlive the daemon that was asked for it. No operation looks at all of them: a client
 * that execs all day has tens of thousands that have ended.
 */
export class ExecStore {
  readonly #execs = new Map<string, ExecEntry>()
  /** Created or running, by their container. */
  readonly #live = new Map<ContainerEntry, Set<ExecEntry>>()
  /** Ended, in the order of their ends. */
  readonly #ended = new Set<ExecEntry>()
  readonly #clock: Pick<Clock, 'now'>

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock
  }

  add(entry: ContainerEntry, exec: Exec): ExecEntry {
    this.#sweep()
    const item: ExecEntry = { entry, exec, task: undefined, settled: deferred(), endedAt: undefined }
    this.#execs.set(exec.id, item)
    const live = this.#live.get(entry)
    if (live === undefined) this.#live.set(entry, new Set([item]))
    else live.add(item)
    return item
  }

  /** By full id. Throws NOT_FOUND, also once the container is gone. */
  get(id: string): ExecEntry {
    const found = this.#execs.get(id)
    if (found === undefined || found.entry.removed) throw notFound(`No such exec instance: ${id}`)
    return found
  }

  /** Ids of the created or running execs of a container. */
  liveOf(entry: ContainerEntry): string[] {
    return Array.from(this.#live.get(entry) ?? [], ({ exec }) => exec.id)
  }

  /** It has ended, or could not be started. */
  end(item: ExecEntry): void {
    item.endedAt = this.#clock.now()
    this.#forgetLive(item)
    this.#ended.add(item)
  }

  /** The container's process has ended: execs that never started go; those that ran end with it by themselves. */
  forget(entry: ContainerEntry): void {
    for (const item of this.#live.get(entry) ?? []) if (!item.exec.running) this.#delete(item)
  }

  #delete(item: ExecEntry): void {
    this.#execs.delete(item.exec.id)
    this.#ended.delete(item)
    this.#forgetLive(item)
  }

  #forgetLive(item: ExecEntry): void {
    const live = this.#live.get(item.entry)
    live?.delete(item)
    if (live?.size === 0) this.#live.delete(item.entry)
  }

  /** Drops what ended long ago. Done when an exec is added, so that no timer is needed. */
  #sweep(): void {
    const limit = this.#clock.now() - KEPT_NS
    for (const item of this.#ended) {
      if (item.endedAt === undefined || item.endedAt >= limit) return
      this.#delete(item)
    }
  }
}
