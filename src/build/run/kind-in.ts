import { closeSync, fstatSync } from 'node:fs'
import type { Files } from '#kernel'
import { O_PATH, type Snapshotter } from '#snapshots'
import { openRef } from '../files/open-ref.ts'
import type { Ref } from '../graph/ref.ts'

/** Whether `path` is a file or a directory of `ref`; links are followed inside it. undefined: nothing is there. */
export function kindIn(
  deps: { files: Files; snapshotter: Pick<Snapshotter, 'view'> },
  ref: Ref,
  path: string,
): 'directory' | 'file' | undefined {
  using root = openRef(deps, ref)
  if (root === undefined) return undefined
  try {
    const fd = deps.files.openInRoot(root.fd, path, O_PATH)
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
