import { conflict, EngineError, invalidArgument } from '#errors'
import type { Context } from './context.ts'
import type { ContainerEntry } from './entry.ts'
import { publishEvent } from './publish-event.ts'
import { isActive } from './state.ts'

/** `docker rename`. The old name is free as soon as the new one is recorded. Throws CONFLICT for a taken name. */
export async function renameContainer(ctx: Context, ref: string, name: string): Promise<void> {
  if (name === '') throw invalidArgument('Neither old nor new names may be empty')
  const entry = ctx.store.find(ref)
  using _lock = await entry.mutex.lock()
  const old = entry.record.name
  if (name === old || name === `/${old}`) throw invalidArgument('Renaming a container with the same name as its current name')
  if (entry.removed || entry.record.state.status === 'removing') throw conflict(`container ${entry.id} is marked for removal`)
  const { names } = ctx.store
  let claimed: string
  try {
    claimed = names.claim(name, entry.id)
  } catch (error) {
    if (!(error instanceof EngineError)) throw error
    throw new EngineError(error.code, `Error when allocating new name: ${error.message}`, { cause: error })
  }
  try {
    ctx.store.save(entry, { name: claimed })
  } catch (error) {
    names.release(claimed, entry.id)
    throw error
  }
  names.release(old, entry.id)
  followName(ctx, entry)
  publishEvent(ctx, entry.record, 'rename', { oldName: `/${old}` })
}

/** The networks of a running container answer to its new name, and no more to the old one. */
function followName(ctx: Context, entry: ContainerEntry): void {
  const { name, config, state, endpoints } = entry.record
  if (!isActive(state) || endpoints.length === 0) return
  ctx.store.save(entry, { endpoints: ctx.deps.networks.rename(entry.id, { containerName: name, hostname: config.hostname }) })
}
