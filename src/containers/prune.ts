import { parseNano } from '#lib'
import { codeOf } from '#errors'
import type { Context } from './context.ts'
import { removeEntry } from './remove.ts'
import { isActive } from './state.ts'
import type { Container } from './types.ts'

export interface PruneFilters {
  /** Milliseconds since the epoch: only containers created before. */
  until?: number
  /** `key` or `key=value`, all must match. */
  label: string[]
  /** None may match. */
  labelNot: string[]
}

/** `docker container prune`: removes every container without a process. `reclaimed`: bytes of the writable layers. */
export async function pruneContainers(ctx: Context, filters: PruneFilters): Promise<{ deleted: string[]; reclaimed: number }> {
  const deleted: string[] = []
  let reclaimed = 0
  for (const entry of ctx.store.all()) {
    const { state } = entry.record
    if (isActive(state) || state.status === 'restarting' || entry.removing || !matches(entry.record, filters)) continue
    const { size } = await ctx.deps.snapshotter.usage(entry.id).catch(() => ({ size: 0 }))
    // Somebody else's removal, and not ours to count.
    if (entry.removing || entry.removed) continue
    try {
      await removeEntry(ctx, entry, { force: false, volumes: false })
    } catch (error) {
      // Started by somebody else meanwhile.
      if (codeOf(error) === 'CONFLICT' || codeOf(error) === 'NOT_FOUND') continue
      ctx.deps.warn('cannot prune a container', { container: entry.id, error: String(error) })
      continue
    }
    deleted.push(entry.id)
    reclaimed += size
  }
  ctx.deps.events.publish('container', 'prune', '', { reclaimed: String(reclaimed) })
  return { deleted, reclaimed }
}

function matches(container: Container, { until, label, labelNot }: PruneFilters): boolean {
  const has = (filter: string): boolean => {
    const at = filter.indexOf('=')
    const value = container.config.labels[at < 0 ? filter : filter.slice(0, at)]
    return value !== undefined && (at < 0 || value === filter.slice(at + 1))
  }
  if (until !== undefined && Number(parseNano(container.created) / 1_000_000n) >= until) return false
  return label.every(has) && !labelNot.some(has)
}
