import { codeOf, EngineError, internal } from '#errors'
import type { Files } from '#kernel'
import type { ShareTask, Task } from '#snapshots'
import type { ActionInput } from './actions.ts'
import { performCopy } from './copy-action.ts'
import { copySharedFiles } from './copy-assistant.ts'
import type { SharedFiles } from './copy-assistant.ts'
import { standsAlone, writeDifference } from './diff-trees.ts'
import type { DiffInput } from './diff-trees.ts'
import { digestTree } from './digest-tree.ts'
import type { DigestInput } from './digest-tree.ts'
import { makeDirectory, makeFile, makeLink, removePath } from './make-nodes.ts'
import { performUpdatePart } from '../sources/local/update-parts.ts'
import type { UpdatePart } from '../sources/local/update-parts.ts'
import { unpackContext } from '../unpack-context.ts'
import type { UploadedContext } from '../unpack-context.ts'

/** Tasks of builds for the daemon's worker threads, by name. The program's entry gives this function to the workers. */
export async function loadFileTask(task: string): Promise<Task> {
  const found = TASKS[task]
  if (found === undefined) throw internal(`Cannot run ${task}: there is no such task`)
  return found
}

const TASKS: Readonly<Record<string, Task>> = {
  'build-update-directory': async (files, input, signal) => await performUpdatePart(files, input as UpdatePart, signal),
  'build-unpack-context': async (files, input, signal) => await unpackContext(files, input as UploadedContext, signal),
  'build-file-action': async (files, input, signal, share) => await performAction(files, input as ActionInput, signal, share),
  'build-copy-files': async (files, input) => explaining(() => copySharedFiles(files, input as SharedFiles)),
  'build-diff': async (files, input, signal) => await writeDifference(files, input as DiffInput, signal),
  'build-stands-alone': async (files, input, signal) => await standsAlone(files, input as Parameters<typeof standsAlone>[1], signal),
  'build-digest': async (files, input, signal) => await digestTree(files, input as DigestInput, signal),
}

/** Does one action to a file system, in this thread. Errors in BuildKit's words. */
export async function performAction(files: Files, input: ActionInput, signal?: AbortSignal, share?: ShareTask): Promise<void> {
  await explaining(() => perform(files, input, signal, share))
}

async function perform(files: Files, { rootFd, upperFd, action }: ActionInput, signal?: AbortSignal, share?: ShareTask): Promise<void> {
  switch (action.action) {
    case 'copy':
      return await performCopy(files, { rootFd, action, ...(upperFd !== undefined && { upperFd }) }, signal, share)
    case 'mkfile':
      return makeFile(files, rootFd, action)
    case 'mkdir':
      return makeDirectory(files, rootFd, action)
    case 'symlink':
      return makeLink(files, rootFd, action)
    case 'rm':
      return removePath(rootFd, action)
  }
}

async function explaining<T>(work: () => T | Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw explain(error)
  }
}

/** Paths of system calls begin with numbers of descriptors, which say nothing to people. */
function explain(error: unknown): unknown {
  if (!(error instanceof Error) || !error.message.includes('/proc/self/fd/')) return error
  const message = error.message.replaceAll(/\/proc\/self\/fd\/\d+(?:\/\.(?=['\s]|$))?/g, '')
  return new EngineError(codeOf(error), message, { cause: error })
}
