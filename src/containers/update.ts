import { codeOf, conflict, invalidArgument } from '#errors'
import type { Context } from './context.ts'
import { cgroupOf } from './pause.ts'
import { withoutUndefined } from './merge-config.ts'
import { publishEvent } from './publish-event.ts'
import { discardUnsupported, resources } from './spec/index.ts'
import { isActive } from './state.ts'
import type { HostConfig } from './configuration.ts'
import type { UpdateRequest } from './types.ts'
import { verifyResources, verifyRestartPolicy } from './verify-config.ts'

/**
 * `docker update`: new limits, at once for a running container, and a new restart policy. Zero and empty values leave things as they are. The
 * kernel refuses limits it cannot meet; then nothing has changed. Throws INVALID_ARGUMENT, CONFLICT.
 */
export async function updateContainer(ctx: Context, ref: string, request: UpdateRequest): Promise<{ warnings: string[] }> {
  const entry = ctx.store.find(ref)
  using _lock = await entry.mutex.lock()
  const { record } = entry
  if (record.state.status === 'removing' || record.state.status === 'dead') {
    throw conflict(`Cannot update container ${entry.id}: container is marked for removal and cannot be "update"`)
  }
  const { limits: hostConfig, warnings } = discardUnsupported(updated(record.hostConfig, request), ctx.deps.support)
  verifyResources(hostConfig, ctx.deps.defaults().cpus)
  verifyRestartPolicy(hostConfig)
  if (isActive(record.state)) {
    const changed = resources(hostConfig, ctx.deps.host)
    try {
      ctx.deps.cgroupControl.update(cgroupOf(ctx, record), changed)
    } catch (error) {
      // A process that has ended has no limits any more: the next one gets the new ones.
      if (codeOf(error) !== 'NOT_FOUND')
        throw invalidArgument(`Cannot update container ${entry.id}: ${error instanceof Error ? error.message : String(error)}`, error)
    }
  }
  ctx.store.save(entry, { hostConfig })
  publishEvent(ctx, entry.record, 'update')
  return { warnings }
}

/** Docker's rules of which new value counts. Source: moby container/container_unix.go, UpdateContainer. */
function updated(current: HostConfig, { resources: given, restartPolicy }: UpdateRequest): HostConfig {
  const asked = withoutUndefined(given)
  if (asked.nanoCpus && (current.cpuPeriod || current.cpuQuota)) {
    throw conflict(`Conflicting options: Nano CPUs cannot be updated as CPU ${current.cpuPeriod ? 'Period' : 'Quota'} has already been set`)
  }
  if ((asked.cpuPeriod || asked.cpuQuota) && current.nanoCpus) {
    throw conflict(`Conflicting options: CPU ${asked.cpuPeriod ? 'Period' : 'Quota'} cannot be updated as NanoCPUs has already been set`)
  }
  const meaningful = Object.entries(asked).filter(
    ([, value]) => value !== 0 && value !== '' && !(Array.isArray(value) && value.length === 0),
  )
  const next: HostConfig = { ...current, ...Object.fromEntries(meaningful) }
  if (next.memory > 0 && asked.memory && !asked.memorySwap && current.memorySwap > 0 && next.memory > current.memorySwap) {
    throw conflict('Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time')
  }
  if (restartPolicy !== undefined && restartPolicy.name !== ('' as never)) {
    if (current.autoRemove && restartPolicy.name !== 'no') {
      throw conflict('Restart policy cannot be updated because AutoRemove is enabled for the container')
    }
    next.restartPolicy = restartPolicy
  }
  return next
}
