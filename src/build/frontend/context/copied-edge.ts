import { vertex } from '../../graph/digest.ts'
import { PLAIN_COPY } from '../../graph/plain-copy.ts'
import type { CopyAction, Edge, FileOp } from '../../graph/types.ts'

/** A part of a file system, alone: copied onto an empty one. */
export function copiedEdge(from: Edge, how: Pick<CopyAction, 'source' | 'unpack' | 'directoryContentsOnly'>, name: string): Edge {
  const op: FileOp = {
    kind: 'file',
    actions: [{ ...PLAIN_COPY, input: -1, from: 0, output: 0, target: '/', ...how }],
  }
  return { vertex: vertex(op, [from], { name: `[internal] ${name}` }), output: 0 }
}
