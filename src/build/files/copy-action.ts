import { posix } from 'node:path'
import type { BigIntStats } from 'node:fs'
import { invalidArgument, notFound } from '#errors'
import type { Files } from '#kernel'
import { inSlices } from '#snapshots'
import type { ShareTask } from '#snapshots'
import type { PreparedAction } from './actions.ts'
import { NEW_DIRECTORY_MODE } from './attributes.ts'
import type { Changes } from './attributes.ts'
import { createCopyAssistant } from './copy-assistant.ts'
import { createContentCopier } from './copy-content.ts'
import { copyTree } from './copy-tree.ts'
import type { CopyRun, Target } from './copy-tree.ts'
import { absent, findPath } from './find-path.ts'
import type { Found } from './find-path.ts'
import { copyChanges, directoryMaker } from './make-nodes.ts'
import { createSelection } from './selection.ts'
import { unpackArchive } from './unpack-archive.ts'
import { hasWildcard, resolveWildcards } from './wildcards.ts'

type CopyInput = Extract<PreparedAction, { action: 'copy' }>

/**
 * Copies what an action names from one file system to another; see {@link copyTree} for what a copy is. Throws NOT_FOUND for a source that is not there, the
 * reason of `signal`; what was written until then stays.
 */
export async function performCopy(
  files: Files,
  { rootFd, upperFd, action }: { rootFd: number; upperFd?: number; action: CopyInput },
  signal: AbortSignal | undefined,
  share?: ShareTask,
): Promise<void> {
  for (const path of action.requiredPaths) requirePath(action.fromFd, path)
  const changes = copyChanges(action)
  const copyContent = createContentCopier(files)
  const assistant = share && createCopyAssistant(share, action)
  for (const path of sourcesOf(action)) {
    signal?.throwIfAborted()
    if (action.unpack && (await unpackArchive(files, { ...action, rootFd, path, changes }, signal))) continue
    const run: CopyRun = {
      files,
      changes,
      copyContent,
      selection: createSelection(action.includePatterns, action.excludePatterns),
      replaceExisting: action.alwaysReplaceExisting,
      links: new Map(),
      rootFd,
      ...(upperFd !== undefined && { upperFd }),
      ...(assistant && { assistant }),
    }
    using source = findSource(action, path)
    using target = findTarget(files, rootFd, action, { path, stat: source.stat }, changes)
    const steps = copyTree(run, source, target)
    if (assistant === undefined) for await (const _ of inSlices(steps)) signal?.throwIfAborted()
    else await assistant.finish(steps, signal)
  }
}

function sourcesOf({ fromFd, source, allowWildcard, allowEmptyWildcard }: CopyInput): string[] {
  if (!allowWildcard || !hasWildcard(source)) return [source]
  const found = resolveWildcards(fromFd, source)
  if (found.length === 0 && !allowEmptyWildcard) throw notFound(`${source} not found`)
  return found
}

function requirePath(fromFd: number, path: string): void {
  using found = findPath(fromFd, path, { follow: false })
  if (found.stat === undefined) throw absent(path)
}

function findSource({ fromFd, followSymlink }: CopyInput, path: string): Found & { stat: BigIntStats } {
  const found = findPath(fromFd, path, { follow: followSymlink })
  if (found.stat !== undefined) return { ...found, stat: found.stat }
  found[Symbol.dispose]()
  throw absent(path)
}

/**
 * Where the source goes: to the target, or into it when that is a directory and the source is none, or a directory of which not only the content is meant.
 * Directories on the way are made, and with a slash at the end the target, too. Throws INVALID_ARGUMENT for such a
 * target that is no directory.
 */
function findTarget(
  files: Files,
  rootFd: number,
  action: CopyInput,
  source: { path: string; stat: BigIntStats },
  changes: Changes,
): Target {
  const { target, directoryContentsOnly, createTargetParents } = action
  const make = directoryMaker(files, changes, NEW_DIRECTORY_MODE)
  const isDirectory = source.stat.isDirectory()
  if (!createTargetParents) requireParent(rootFd, target)
  using held = new DisposableStack()
  const found = held.use(findPath(rootFd, target, { follow: true, make }))
  const keep = (isNew = false): Target => (held.move(), { ...found, isNew })
  const base = posix.basename(source.path)
  const namesDirectory = /(?:^|\/)\.?$/.test(target)
  if (found.stat === undefined && (namesDirectory || (isDirectory && directoryContentsOnly))) {
    make(found.directoryFd, found.name)
    if (isDirectory && directoryContentsOnly) return keep(true)
  } else if (found.stat === undefined) return keep()
  if (namesDirectory && found.stat?.isDirectory() === false) throw invalidArgument(`${found.path}: not a directory`)
  const goesInside = isDirectory ? !directoryContentsOnly : found.stat === undefined || found.stat.isDirectory()
  if (!goesInside || base === '') return keep()
  // The name itself: what has it now is replaced and not followed.
  return { ...findPath(rootFd, posix.join(found.path, base), { follow: false, make }), isNew: false }
}

function requireParent(rootFd: number, target: string): void {
  using found = findPath(rootFd, posix.dirname(posix.join('/', target)), { follow: true })
  if (found.stat === undefined) throw notFound(`failed to stat ${target}: no such file or directory`)
}
