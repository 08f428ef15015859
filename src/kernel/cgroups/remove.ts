/**
 * Signatures: removeCgroup(location: CgroupLocation, options?: { signal?: AbortSignal }): Promise<void>
 * removeEmptyCgroups(directories: readonly string[]): string[]
 */

import { rmdirSync } from 'node:fs'
import { retry } from '#lib'
import { directoriesOf, type CgroupLocation } from './layout.ts'
import { cgroupTree } from './processes.ts'
import { hasCode, isGone } from './read-file.ts'

/** About five seconds in all. */
const ATTEMPTS = 60
const MAX_DELAY_MS = 100

/**
 * Removes a container's cgroups with all it has made below them, children first. A cgroup stays busy for a moment after its last process has ended
 * (the process is still being torn down), hence the bounded retry; after it the last EBUSY is thrown. What is gone already is fine.
 */
export async function removeCgroup(location: CgroupLocation, options: { signal?: AbortSignal } = {}): Promise<void> {
  await Promise.all(
    directoriesOf(location).map((directory) =>
      retry(() => removeTree(directory), {
        attempts: ATTEMPTS,
        delayMs: 1,
        maxDelayMs: MAX_DELAY_MS,
        retryable: (error) => hasCode(error, 'EBUSY', 'ENOTEMPTY'),
        ...options,
      }),
    ),
  )
}

function removeTree(directory: string): void {
  for (const cgroup of cgroupTree(directory).toReversed()) {
    try {
      rmdirSync(cgroup)
    } catch (error) {
      if (!isGone(error)) throw error
    }
  }
}

/** Removes those that have no cgroups below them and no processes, which the kernel sees to. `directories`: parents first; gives those that are still there. */
export function removeEmptyCgroups(directories: readonly string[]): string[] {
  return directories
    .toReversed()
    .filter((directory) => {
      try {
        rmdirSync(directory)
        return false
      } catch (error) {
        return !isGone(error)
      }
    })
    .reverse()
}
