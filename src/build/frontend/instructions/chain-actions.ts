import type { CopyAction, FileAction } from '../../graph/types.ts'
import type { Inputs, Tree } from '../tree.ts'

/** One copy of a step: from where, and how. */
export interface CopyPiece {
  readonly from: Tree
  readonly action: CopyAction extends infer A ? Omit<A, 'from'> : never
}

/** One action after the other, the first one on `base`; the last one's outcome is the step's. */
export function chainActions(base: Tree, pieces: readonly CopyPiece[], inputs: Inputs): FileAction[] {
  const input = inputs.index(base)
  const sources = pieces.map(({ from }) => inputs.index(from))
  const count = inputs.trees.length
  return pieces.map(({ action }, index) => ({
    ...action,
    from: sources[index] ?? -1,
    input: index === 0 ? input : count + index - 1,
    output: index === pieces.length - 1 ? 0 : -1,
  }))
}
