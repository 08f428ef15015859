/** What is done to a file system in one go, as plain data: actions of a vertex with their file systems opened and their owners looked up. */

import type { CopyAction, MakeDirectory, MakeFile, MakeLink, RemovePath } from '../graph/types.ts'

/** Numbers; undefined: as it is. */
export type OwnerIds = { uid: number; gid: number } | undefined

type Prepared<A> = Omit<A, 'owner' | 'from'> & { owner: OwnerIds }

export type PreparedAction =
  | (Prepared<CopyAction> & { fromFd: number })
  | Prepared<MakeFile>
  | Prepared<MakeDirectory>
  | Prepared<MakeLink>
  | RemovePath

/** Descriptors of roots are the caller's, and open until it is done. */
export interface ActionInput {
  rootFd: number
  /**
   * Of a layer that overlayfs shows at `rootFd`, and that nothing is done with after this action: where overlayfs puts what is written. Directories that the action
   * makes may be filled there: they hide nothing, and a file costs half as much.
   */
  upperFd?: number
  action: PreparedAction
}
