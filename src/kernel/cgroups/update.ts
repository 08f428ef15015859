/**
 * Limits of a running container.
 *
 * Signature: updateCgroup(location: CgroupLocation, resources: ResourcesSpec): void
 */

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { internal, invalidArgument, notFound } from '#errors'
import type { ResourcesSpec } from '#oci'
import type { CgroupLocation, V1Controller } from './layout.ts'
import { settingsV1, settingsV2 } from './plan.ts'
import { hasCode, isGone } from './read-file.ts'
import type { Setting } from './setting.ts'

interface Write extends Omit<Setting, 'file'> {
  path: string
}

/**
 * Writes the limits that are set; devices are left as they are. Some pairs depend on each other (memory and memory+swap, quota and period): which one
 * must go first depends on the values there are, so a write refused with EINVAL is tried again after the others. Throws INVALID_ARGUMENT when
 * more memory is in use than the new limit allows and nothing can be reclaimed, NOT_FOUND when the cgroup is gone,
 * INTERNAL for what else the kernel refuses.
 */
export function updateCgroup(location: CgroupLocation, resources: ResourcesSpec): void {
  const { devices: _unchanged, ...limits } = resources
  const refused = writesFor(location, limits).filter((write) => !tryWrite(write))
  for (const write of refused) finalWrite(write)
}

function writesFor(location: CgroupLocation, limits: ResourcesSpec): Write[] {
  const at = (directory: string, settings: readonly Setting[]): Write[] =>
    settings.map(({ file, ...setting }) => ({ path: join(directory, file), ...setting }))
  if (location.version === 2) return at(location.directory, settingsV2(limits))
  const settings = settingsV1(limits)
  return Object.entries(location.directories).flatMap(([controller, directory]) =>
    at(directory, settings[controller as V1Controller] ?? []),
  )
}

/** False: refused, try again later. */
function tryWrite(write: Write): boolean {
  try {
    writeFileSync(write.path, write.value)
    return true
  } catch (error) {
    if (write.optional === true) return true
    if (hasCode(error, 'EINVAL')) return false
    throw meaning(write, error)
  }
}

function finalWrite(write: Write): void {
  try {
    writeFileSync(write.path, write.value)
  } catch (error) {
    throw meaning(write, error)
  }
}

function meaning(write: Write, error: unknown): Error {
  if (isGone(error) && !existsSync(dirname(write.path))) return notFound('the control group is gone', error)
  if (hasCode(error, 'EBUSY') && /memory\.(limit_in_bytes|memsw\.limit_in_bytes|max)$/.test(write.path)) {
    const usageFile = write.path.replace(/limit_in_bytes$/, 'usage_in_bytes').replace(/memory\.max$/, 'memory.current')
    const usage = readFileSync(usageFile, 'utf8').trim()
    return invalidArgument(`unable to set memory limit to ${write.value} (current usage: ${usage})`, error)
  }
  const reason = error instanceof Error ? error.message : String(error)
  return internal(`failed to write "${write.value}" to ${basename(write.path)}: ${reason}`, error)
}
