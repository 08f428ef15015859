import { codeOf } from '#errors'
import { locateCgroup, type CgroupLocation } from '#kernel'
import type { Context } from './context.ts'
import type { ContainerEntry } from './entry.ts'
import { endHealth, startHealth } from './health.ts'
import { publishEvent } from './publish-event.ts'
import { notRunning, transition } from './state.ts'
import type { Container } from './types.ts'

/** `docker pause`: freezes every process of the container. Throws CONFLICT when it does not run. */
export async function pauseContainer(ctx: Context, ref: string): Promise<void> {
  const entry = ctx.store.find(ref)
  using _lock = await entry.mutex.lock()
  const state = transition(entry.id, entry.record.state, { to: 'paused' })
  await ctx.deps.cgroupControl.freeze(cgroupOf(ctx, entry.record)).catch((error: unknown) => {
    throw codeOf(error) === 'NOT_FOUND' ? notRunning(entry.id) : error
  })
  // A frozen container cannot answer.
  endHealth(ctx, entry)
  ctx.store.save(entry, { state })
  publishEvent(ctx, entry.record, 'pause')
}

/** `docker unpause`. Throws CONFLICT when it is not paused. */
export async function unpauseContainer(ctx: Context, ref: string): Promise<void> {
  const entry = ctx.store.find(ref)
  using _lock = await entry.mutex.lock()
  thaw(ctx, entry)
}

/** Under the lock. Also what a stop or kill of a frozen container does once the signal is sent. */
export function thaw(ctx: Context, entry: ContainerEntry): void {
  const state = transition(entry.id, entry.record.state, { to: 'unpaused' })
  ctx.deps.cgroupControl.thaw(cgroupOf(ctx, entry.record))
  ctx.store.save(entry, { state })
  startHealth(ctx, entry, { keep: true })
  publishEvent(ctx, entry.record, 'unpause')
}

/** Where the container's cgroups are while it runs. */
export function cgroupOf(ctx: Context, { id, hostConfig }: Pick<Container, 'id' | 'hostConfig'>): CgroupLocation {
  return locateCgroup(ctx.deps.cgroups, { parent: cgroupParentOf(ctx, hostConfig), id })
}

export function cgroupParentOf(ctx: Context, { cgroupParent }: Pick<Container['hostConfig'], 'cgroupParent'>): string {
  return cgroupParent === '' ? ctx.deps.defaults().cgroupParent : cgroupParent
}
