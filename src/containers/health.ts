import { parseNano } from '#lib'
import type { Context } from './context.ts'
import type { ContainerEntry } from './entry.ts'
import { judge, nextProbeIn, probeCommand } from './health-rules.ts'
import { runProbe } from './health-probe.ts'
import { publishEvent } from './publish-event.ts'
import { isActive } from './state.ts'
import type { Health, HealthResult } from './types.ts'

/**
 * Starts the health checks of a container that has just started; none without a HEALTHCHECK. Under the lock. What earlier runs left in the log stays.
 * A container that was thawed, and a daemon that comes back, go on with the health in the record (`keep`).
 */
export function startHealth(ctx: Context, entry: ContainerEntry, options: { keep?: boolean } = {}): void {
  entry.health?.[Symbol.dispose]()
  entry.health = undefined
  const { config, state, health } = entry.record
  const command = probeCommand(config)
  if (command === undefined || state.status !== 'running') return
  if (!options.keep || health === undefined)
    ctx.store.touch(entry, { health: { status: 'starting', failingStreak: 0, log: health?.log ?? [] } })
  entry.health = new HealthMonitor(ctx, entry, command)
}

/** Nobody asks any more: the container has ended, or is frozen. As with Docker it counts as unhealthy then, without an event. */
export function endHealth(ctx: Context, entry: ContainerEntry): void {
  if (entry.health === undefined) return
  entry.health[Symbol.dispose]()
  entry.health = undefined
  const { health } = entry.record
  if (health !== undefined) ctx.store.touch(entry, { health: { ...health, status: 'unhealthy' } })
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
    const result = await runProbe(this.#ctx, this.#entry, this.#command, this.#ended.signal)
    if (this.#ended.signal.aborted) return
    this.#take(result)
    this.#schedule()
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
