import { readdirSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { discardTask } from '#containers'
import { deleteTree } from '#snapshots'
import { TASK_DIRECTORY } from './sandbox.ts'
import { SECRETS_DIRECTORY } from './step-mounts.ts'
import type { RunDeps } from './types.ts'

/**
 * Ends what steps of a daemon that was killed still run, and takes away what they had on the host: their results have no one to go to. Before anything is
 * restored that they may hold: writable layers, addresses. Idempotent. Never throws: what cannot be ended keeps no daemon from starting.
 */
export async function restoreSteps({
  runtime,
  mounts,
  paths,
  warn,
}: Pick<RunDeps, 'runtime' | 'mounts' | 'paths' | 'warn'>): Promise<void> {
  await Promise.all(namesIn(paths.steps).map((id) => endStep(id)))
  await Promise.all(namesIn(paths.stubs).map((id) => deleteStubs(id)))

  async function endStep(id: string): Promise<void> {
    const directory = join(paths.steps, id)
    try {
      const adopted = await runtime.adopt(id, join(directory, TASK_DIRECTORY))
      if (adopted.state === 'running') await discardTask(adopted.task)
      unmountSecrets(join(directory, SECRETS_DIRECTORY))
      await rm(directory, { recursive: true, force: true })
    } catch (error) {
      warn('cannot end a step of an earlier daemon', { step: id, error: String(error) })
    }
  }

  async function deleteStubs(id: string): Promise<void> {
    try {
      await deleteTree(join(paths.stubs, id))
    } catch (error) {
      warn('cannot delete the mount points of a step', { step: id, error: String(error) })
    }
  }

  /** Mounted only between the making of the step and its launch, where the daemon may have been killed, too. */
  function unmountSecrets(directory: string): void {
    try {
      mounts.unmount(directory, { detach: true })
    } catch {
      // Not mounted, or not there: the usual case.
    }
  }
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch {
    return []
  }
}
