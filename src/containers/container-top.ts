import { listCgroupPids } from '#kernel'
import type { Context } from './context.ts'
import { cgroupOf } from './pause.ts'
import { publishEvent } from './publish-event.ts'
import { isActive, isRestarting, notRunning } from './state.ts'
import { listProcesses } from './top.ts'
import type { ContainerService } from './types.ts'

/** `docker top`. Throws CONFLICT when the container does not run. */
export async function containerTop(ctx: Context, ref: string, psArgs: string): ReturnType<ContainerService['top']> {
  const entry = ctx.store.find(ref)
  const { state } = entry.record
  if (state.status === 'restarting') throw isRestarting(entry.id)
  if (!isActive(state)) throw notRunning(entry.id)
  const list = await listProcesses(psArgs, listCgroupPids(cgroupOf(ctx, entry.record)))
  publishEvent(ctx, entry.record, 'top')
  return list
}
