import type { Context } from './context.ts'
import { publishEvent } from './publish-event.ts'
import { isActive, notRunning } from './state.ts'

/** Size of the container's terminal, in characters. Throws CONFLICT when it does not run. */
export async function resizeContainer(ctx: Context, ref: string, height: number, width: number): Promise<void> {
  const entry = ctx.store.find(ref)
  if (!isActive(entry.record.state) || entry.run === undefined) throw notRunning(entry.id)
  await entry.run.task.resize(height, width)
  publishEvent(ctx, entry.record, 'resize', { height: String(height), width: String(width) })
}
