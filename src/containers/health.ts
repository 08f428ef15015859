import { parseNano } from '#lib'
import type { Context } from './context.ts'
import type { ContainerEntry } from './entry.ts'
import { judge, nextProbeIn, probeCommand } from './health-rules.ts'
import { runProbe } from './health-probe.ts'
import { publishEvent } from './publish-event.ts'
import { isActive } from './state.ts'
import type { Health, HealthResult } from './types.ts'

/**
 * Starts the health checks of a container that has just started; none without a HEALTHCHECK. Under the lock. They end with the disposal of
 * `entry.health`, which the exit does. A daemon that comes back goes on with the health it finds in the record (`keep`).
 */
export function startHealth(ctx: Context, entry: ContainerEntry, options: { keep?: boolean } = {}): void {
  entry.health?.[Symbol.dispose]()
  entry.health = undefined
  const { config, state } = entry.record
  const command = probeCommand(config)
  if (command === undefined || !isActive(state)) return
  if (!(options.keep && entry.record.health)) ctx.store.touch(entry, { health: { status: 'starting', failingStreak: 0, log: [] } })
  entry.health = new HealthMonitor(ctx, entry, command)
}

/** One after the other, never two probes at once. */
class HealthMonitor implements Disposable {
  readonly #ctx: Context
  readonly #entry: ContainerEntry
  readonly #command: string[]
  readonly #ended = new AbortController()
  #timer: Disposable | undefined

  constructor(ctx: Context, entry: ContainerEntry, command: string[]) {
    this.#ctx = ctx
    this.#entry = entry
    this.#command = command
    this.#schedule()
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]()
    this.#ended.abort()
  }

  #schedule(): void {
    const { config, state, health } = this.#entry.record
    if (!isActive(state) || config.healthcheck === undefined || health === undefined) return
    const sinceStart = Number(this.#ctx.deps.clock.now() - parseNano(state.startedAt))
    const wait = nextProbeIn(config.healthcheck, health.status, sinceStart)
    this.#timer = this.#ctx.deps.clock.after(wait / 1e6, () => void this.#round())
  }

  async #round(): Promise<void> {
    // A frozen container cannot answer; Docker does not ask it either.
    if (this.#entry.record.state.status === 'running') {
      const result = await runProbe(this.#ctx, this.#entry, this.#command, this.#ended.signal)
      if (this.#ended.signal.aborted) return
      this.#take(result)
    }
    if (!this.#ended.signal.aborted) this.#schedule()
  }

  #take(result: HealthResult): void {
    const { store } = this.#ctx
    const { state, config, health } = this.#entry.record
    if (!isActive(state) || config.healthcheck === undefined || health === undefined) return
    const startedAfter = Number(parseNano(result.start) - parseNano(state.startedAt))
    const next: Health = judge(config.healthcheck, health, result, startedAfter)
    store.touch(this.#entry, { health: next })
    if (next.status !== health.status) publishEvent(this.#ctx, this.#entry.record, `health_status: ${next.status}`)
  }
}
