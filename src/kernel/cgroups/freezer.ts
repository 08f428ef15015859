/**
 * Pausing all processes of a container. Sources: cgroup-v1/freezer-subsystem.rst; cgroup-v2.rst, cgroup.freeze.
 *
 * Signatures:
 *   freezeCgroup(location: CgroupLocation, options?: { timeoutMs?: number }): Promise<void>
 *   thawCgroup(location: CgroupLocation): void
 */

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { internal, notFound } from '#errors'
import type { CgroupLocation } from './layout.ts'
import { isGone } from './read-file.ts'

const DEFAULT_TIMEOUT_MS = 10_000
/** First wait between two looks; each is twice as long as the one before, up to the last. */
const FIRST_WAIT_MS = 1
const LONGEST_WAIT_MS = 50

/**
 * Resolves when every process is stopped. One that cannot stop (uninterruptible in the kernel) would keep the rest frozen half-way: after the
 * timeout everything is thawed and INTERNAL thrown. Throws NOT_FOUND when the cgroup is gone, or goes meanwhile.
 */
export async function freezeCgroup(location: CgroupLocation, options: { timeoutMs?: number } = {}): Promise<void> {
  try {
    await freeze(location, options)
  } catch (error) {
    throw isGone(error) ? notFound('the control group is gone', error) : error
  }
}

async function freeze(location: CgroupLocation, options: { timeoutMs?: number }): Promise<void> {
  const deadline = performance.now() + (options.timeoutMs ?? DEFAULT_TIMEOUT_MS)
  let wait = FIRST_WAIT_MS
  writeState(location, true)
  while (!isFrozen(location)) {
    if (performance.now() > deadline) {
      thawCgroup(location)
      throw internal('unable to freeze: processes do not stop')
    }
    await sleep(wait)
    wait = Math.min(wait * 2, LONGEST_WAIT_MS)
    // v1: a process that was just being forked can keep the state at FREEZING for ever; thawing for a moment and freezing again catches it.
    if (location.version === 1 && wait === LONGEST_WAIT_MS && !isFrozen(location)) writeState(location, false)
    writeState(location, true)
  }
}

/** Processes run again. Nothing to do when the cgroup is gone. */
export function thawCgroup(location: CgroupLocation): void {
  try {
    writeState(location, false)
  } catch (error) {
    if (!isGone(error)) throw error
  }
}

function writeState(location: CgroupLocation, frozen: boolean): void {
  if (location.version === 2) writeFileSync(join(location.directory, 'cgroup.freeze'), frozen ? '1' : '0')
  else writeFileSync(join(freezerDirectory(location), 'freezer.state'), frozen ? 'FROZEN' : 'THAWED')
}

function isFrozen(location: CgroupLocation): boolean {
  if (location.version === 2) return /^frozen 1$/m.test(readFileSync(join(location.directory, 'cgroup.events'), 'utf8'))
  return readFileSync(join(freezerDirectory(location), 'freezer.state'), 'utf8').trim() === 'FROZEN'
}

function freezerDirectory(location: Extract<CgroupLocation, { version: 1 }>): string {
  const { freezer } = location.directories
  if (freezer === undefined) throw internal('cannot pause: the freezer cgroup is not mounted')
  return freezer
}
