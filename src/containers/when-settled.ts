import { EngineError } from '#errors'
import type { Context } from './context.ts'
import type { ContainerEntry, Run } from './entry.ts'
import { settleExit } from './exit.ts'

/**
 * Resolves when the exit of a run is in the record. One that could not be recorded (the disk was full) is recorded now; throws when that fails again, and
 * UNAVAILABLE when the daemon is going down, which leaves exits to the next one.
 */
export async function whenSettled(ctx: Context, entry: ContainerEntry, run: Run): Promise<void> {
  await run.settled.promise
  if (entry.run !== run) return
  await settleExit(ctx, entry, run, await run.task.exited)
  if (entry.run === run) throw new EngineError('UNAVAILABLE', 'the daemon is going down')
}
