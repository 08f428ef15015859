import { setImmediate } from 'node:timers/promises'
import { systemPath } from '#archive'
import type { Files } from '#kernel'
import type { ShareTask } from '#snapshots'
import { createContentCopier } from './copy-content.ts'
import { copyFile } from './copy-file.ts'
import type { TargetDirectory } from './copy-file.ts'
import { copyChanges } from './make-nodes.ts'
import type { ChangedAttributes } from './make-nodes.ts'

/** Batches that are not shared, from the beginning: another worker may have to be woken for one. */
const FIRST = 2
/** Milliseconds until somebody is asked again who had no time. */
const PAUSE = 10

/** Regular files of one directory. The descriptors stay open until they are copied. */
interface FileBatch {
  fromFd: number
  target: TargetDirectory
  names: readonly string[]
}

/** The same for another thread, with all that it needs to know. */
export interface SharedFiles extends ChangedAttributes {
  fromFd: number
  toFd: number
  /** See `TargetDirectory`. */
  path: string
  names: readonly string[]
  replaceExisting: boolean
}

/**
 * Another worker that copies files of the same tree at the same time, one batch after the other, as long as it has time: making files keeps a processor busy.
 * Whoever works with it gives the thread a turn now and then, in which it hears of what is done.
 */
export interface CopyAssistant {
  /** Whether the batch is taken. Throws what an earlier one has failed with. `copy`: does files that are left after all, in this thread. */
  take(batch: FileBatch, copy: (name: string) => void): boolean
  /** Does something when no batch is under way any more: now, or in a turn. */
  afterwards(work: () => void): void
  /** Does the steps with turns in between, and waits until nothing is under way, even if they fail. */
  finish(steps: Iterable<void>, signal: AbortSignal | undefined): Promise<void>
}

export function createCopyAssistant(share: ShareTask, action: ChangedAttributes & { alwaysReplaceExisting: boolean }): CopyAssistant {
  const { owner, mode, timestamp, alwaysReplaceExisting: replaceExisting } = action
  let offered = 0
  let pausedUntil = 0
  let underWay: Promise<void> | undefined
  let failure: { error: unknown } | undefined
  const later: (() => void)[] = []

  async function perform({ fromFd, target, names }: FileBatch, copy: (name: string) => void): Promise<void> {
    const input: SharedFiles = { fromFd, toFd: target.open(), path: target.path, names, replaceExisting, owner, mode, timestamp }
    const answer = await share('build-copy-files', input)
    if (answer === undefined) pausedUntil = performance.now() + PAUSE
    for (const name of answer === undefined ? names : (answer.result as string[])) copy(name)
  }

  /** Each of them, for they close descriptors. */
  function end(): void {
    underWay = undefined
    for (const work of later.splice(0)) attempt(work)
  }

  function attempt(work: () => void): void {
    try {
      work()
    } catch (error) {
      failure ??= { error }
    }
  }

  function check(): void {
    if (failure !== undefined) throw failure.error
  }

  return {
    take(batch, copy) {
      check()
      if (++offered <= FIRST || underWay !== undefined || performance.now() < pausedUntil) return false
      underWay = perform(batch, copy)
        .catch((error: unknown) => void (failure ??= { error }))
        .then(end)
      return true
    },
    afterwards(work) {
      if (underWay === undefined) work()
      else later.push(work)
    },
    async finish(steps, signal) {
      try {
        for (const _ of steps) {
          await setImmediate()
          signal?.throwIfAborted()
        }
      } finally {
        // Somebody else goes by numbers of descriptors that are closed after this.
        await underWay
      }
      check()
    },
  }
}

/** The other worker's part. Returns the names that it has left: of files with several names, which one thread must see. */
export function copySharedFiles(files: Files, input: SharedFiles): string[] {
  const { fromFd, toFd, path, names, replaceExisting } = input
  const run = { files, changes: copyChanges(input), replaceExisting, copyContent: createContentCopier(files), links: undefined }
  const target = { open: () => toFd, path, rootFd: -1 } // nothing is linked
  return names.filter((name) => !copyFile(run, systemPath(`/proc/self/fd/${fromFd}/${name}`), target, name))
}
