import { closeSync, constants, fstatSync } from 'node:fs'
import type { Files } from '#kernel'
import { extractTree, O_PATH, packTree, type Snapshotter } from '#snapshots'
import type { Ref } from '../graph/ref.ts'

/** What files of a {@link Ref} are reached with. */
export interface RefReader {
  files: Files
  snapshotter: Pick<Snapshotter, 'view'>
}

/** The root of a file system as a descriptor; undefined when it is empty. */
export function openRef({ files, snapshotter }: RefReader, ref: Ref): (Disposable & { fd: number }) | undefined {
  if (ref.kind === 'directory') return files.openRoot(ref.path)
  return ref.chain === undefined ? undefined : snapshotter.view({ chain: ref.chain })
}

/** Whether `selector` names a file or a directory of `ref`; links are followed inside it. undefined: nothing is there. */
export function kindIn(reader: RefReader, ref: Ref, selector: string): 'directory' | 'file' | undefined {
  using root = openRef(reader, ref)
  if (root === undefined) return selector === '' || selector === '/' ? 'directory' : undefined
  try {
    const fd = reader.files.openInRoot(root.fd, selector, O_PATH)
    try {
      return fstatSync(fd).isDirectory() ? 'directory' : 'file'
    } finally {
      closeSync(fd)
    }
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw error
  }
}

/** Copies the directory `selector` of `ref`, with owners, modes, times, links and extended attributes, into the directory `target`. */
export async function copyInto(reader: RefReader, ref: Ref, selector: string, target: string, signal: AbortSignal): Promise<void> {
  const { files } = reader
  using root = openRef(reader, ref)
  if (root === undefined) return
  const source = files.openInRoot(root.fd, selector === '' ? '/' : selector, O_PATH | constants.O_DIRECTORY)
  try {
    using place = files.openRoot(target)
    // The top goes along: its owner and mode are the copy's.
    const archive = packTree(files, `/proc/self/fd/${source}/.`, { whiteouts: 'none', name: '.' })
    await extractTree(files, place.fd, archive, { whiteouts: 'none', signal })
  } finally {
    closeSync(source)
  }
}
