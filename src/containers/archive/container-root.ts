import { openSync, readFileSync } from 'node:fs'
import { constants } from 'node:fs'
import { conflict } from '#errors'
import type { Files } from '#kernel'
import { errorCode, Pinned } from './pinned.ts'

/** A container's file system, mounts included, pinned for the time of one copy. */
export interface ContainerRoot extends Disposable {
  /** O_PATH descriptor of the root directory: the anchor of `Files.openInRoot`. */
  readonly fd: number
}

/**
 * Opens the root of process `pid`. Its mount namespace is held as well: when the container ends meanwhile, its volumes would otherwise vanish from
 * under the copy, and what is written to them would land in the directories they were mounted on.
 *
 * `containerId`: whose process it must be. Between the record and this call the process may have died and its pid may belong to somebody else,
 * whose root is the host's. Throws CONFLICT `container x is not running` then. undefined where the caller owns the process and it cannot have
 * been reused.
 */
export function openContainerRoot(files: Files, pid: number, containerId: string | undefined): ContainerRoot {
  using undo = new DisposableStack()
  const root = undo.use(openOrGone(() => files.openRoot(`/proc/${pid}/root`), containerId))
  undo.use(openOrGone(() => new Pinned(openSync(`/proc/${pid}/ns/mnt`, constants.O_RDONLY)), containerId))
  // Checked after opening: what was opened belongs to the process that is looked at now, or to one that was there before it.
  if (containerId !== undefined && !isInCgroupOf(pid, containerId)) throw gone(containerId)
  const owned = undo.move()
  return { fd: root.fd, [Symbol.dispose]: () => owned.dispose() }
}

/** Whether the process is in a cgroup named after the container; nobody outside it can be. */
function isInCgroupOf(pid: number, containerId: string): boolean {
  return openOrGone(() => readFileSync(`/proc/${pid}/cgroup`, 'utf8'), containerId).includes(containerId)
}

function openOrGone<T>(open: () => T, containerId: string | undefined): T {
  try {
    return open()
  } catch (error) {
    const code = errorCode(error)
    if (code === 'ENOENT' || code === 'ESRCH') throw gone(containerId ?? '')
    throw error
  }
}

function gone(containerId: string): Error {
  return conflict(`container ${containerId} is not running`)
}
