import type { Duplex } from 'node:stream'
import { AsyncMutex, type Deferred } from '#lib'
import type { AttachOptions, Task } from '#runtime'
import type { ExecBase } from './exec-spec.ts'
import type { RestartBackoff } from './restart-policy.ts'
import type { Container, WaitResult } from './types.ts'

export type WaitCondition = 'not-running' | 'next-exit' | 'removed'

export interface Waiter {
  condition: WaitCondition
  resolve: (result: WaitResult) => void
}

/** An attach that came before the container ran; given its stream between create and start of the process, so that nothing is missed. */
export interface PendingAttach {
  options: AttachOptions
  /** undefined: there will be no stream (start failed, container removed). */
  resolve: (stream: Duplex | undefined) => void
}

/** One life of the container's process, from start to settled exit. */
export interface Run {
  readonly task: Task
  /** Resolves when the exit is in the record and resources are given back. */
  readonly settled: Deferred<void>
  /** Ends log followers: the monitor has written the last line. */
  readonly outputEnded: Promise<void>
  /** Kept by `execSpec`. */
  execBase?: ExecBase
}

/**
 * A container in the daemon's memory: its record plus what dies with the daemon.
 *
 * Records are values: a change puts a new object in `record` (through `ContainerStore.save`), so a record handed out stays as it was.
 * Whoever changes state holds `mutex`; the exit of the process is a change like any other and waits its turn.
 */
export class ContainerEntry {
  record: Container
  readonly mutex: AsyncMutex = new AsyncMutex()
  run: Run | undefined
  /** The last run's task is being deleted: its monitor still takes down mounts and cgroups, and the task directory is its own. */
  teardown: Promise<void> = Promise.resolve()
  readonly waiters: Set<Waiter> = new Set()
  readonly pendingAttaches: Set<PendingAttach> = new Set()
  /** Half made: in the store for its name and row, invisible to every look-up. */
  creating = false
  /** The row is gone; whoever still holds the entry must let it be. */
  removed = false
  /** A removal is on its way; a second one is refused. */
  removing = false
  /** So many `docker restart` are between their stop and their start: the exit must not remove an AutoRemove container. */
  manualRestarts = 0
  /** The user asked for the end of this run (stop, kill): no restart by policy after it. */
  exitOnNext = false
  backoff: RestartBackoff | undefined
  /** Timer of the next start by policy. */
  restartTimer: Disposable | undefined
  /** Running health check, ended by disposal. */
  health: Disposable | undefined

  constructor(record: Container) {
    this.record = record
  }

  get id(): string {
    return this.record.id
  }

  /** Resolves the waiters of `conditions` and forgets them. */
  notify(conditions: readonly WaitCondition[], result: WaitResult): void {
    for (const waiter of this.waiters) {
      if (!conditions.includes(waiter.condition)) continue
      this.waiters.delete(waiter)
      waiter.resolve(result)
    }
  }

  /** Ends the attaches that wait for a start that will not come. */
  dropPendingAttaches(): void {
    for (const pending of this.pendingAttaches) pending.resolve(undefined)
    this.pendingAttaches.clear()
  }
}
