/**
 * The processes of a container.
 *
 * Signatures:
 *   listCgroupPids(location: CgroupLocation): number[]
 *   killCgroup(location: CgroupLocation): Promise<void>
 */

import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freezeCgroup, thawCgroup } from './freezer.ts'
import type { CgroupLocation } from './layout.ts'
import { isGone, readIfThere } from './read-file.ts'

/** Host pids, those in cgroups the container has made below its own included. Ascending. A container that is gone has none. */
export function listCgroupPids(location: CgroupLocation): number[] {
  const directory = processDirectory(location)
  if (directory === undefined) return []
  const pids = cgroupTree(directory).flatMap((cgroup) => (readIfThere(join(cgroup, 'cgroup.procs')) ?? '').split('\n'))
  return [...new Set(pids.filter((pid) => pid !== '').map(Number))].sort((a, b) => a - b)
}

/** On v1 every hierarchy holds the same processes. */
function processDirectory(location: CgroupLocation): string | undefined {
  if (location.version === 2) return location.directory
  const { pids, freezer, devices, memory, cpu } = location.directories
  return pids ?? freezer ?? devices ?? memory ?? cpu
}

/** The directory and all below it, parents first. Empty when it does not exist. */
export function cgroupTree(directory: string): string[] {
  let entries
  try {
    entries = readdirSync(directory, { withFileTypes: true })
  } catch (error) {
    if (isGone(error)) return []
    throw error
  }
  const children = entries.filter((entry) => entry.isDirectory()).flatMap(({ name }) => cgroupTree(join(directory, name)))
  return [directory, ...children]
}

/**
 * SIGKILL to every process at once: cgroup.kill where there is one (v2, Linux 5.14), else frozen first so that nothing can fork its way out between
 * reading the list and killing. Resolves when the signals are sent, not when the processes are gone.
 */
export async function killCgroup(location: CgroupLocation): Promise<void> {
  if (location.version === 2) {
    try {
      writeFileSync(join(location.directory, 'cgroup.kill'), '1')
      return
    } catch (error) {
      // Opened for writing without O_CREAT semantics of its own, cgroupfs answers EACCES or ENOENT for a file it does not have.
      if (cgroupTree(location.directory).length === 0) return
      if (!isMissingFile(error)) throw error
    }
  }
  await freezeCgroup(location).catch(() => undefined)
  try {
    for (const pid of listCgroupPids(location)) {
      try {
        process.kill(pid, 'SIGKILL')
      } catch {
        // Ended meanwhile.
      }
    }
  } finally {
    thawCgroup(location)
  }
}

function isMissingFile(error: unknown): boolean {
  return isGone(error) || (error instanceof Error && 'code' in error && ['EACCES', 'EPERM'].includes(String(error.code)))
}
