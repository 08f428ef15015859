import type { ExecOp, FileOp, Vertex } from '../graph/types.ts'
import type { ContentSelection } from '../types.ts'

/**
 * What a step reads of the inputs that it only reads: by index of the input. These count by what the selected files hold, not by how they came to be. An input
 * that also is what the step builds on is not among them.
 */
export function contentInputs({ op, inputs }: Pick<Vertex, 'op' | 'inputs'>): Map<number, ContentSelection[]> {
  if (op.kind === 'file') return copiedFrom(op, inputs.length)
  if (op.kind === 'exec') return mountedFrom(op)
  return new Map()
}

function copiedFrom({ actions }: FileOp, inputs: number): Map<number, ContentSelection[]> {
  const bases = new Set(actions.map(({ input }) => input))
  const selections = new Map<number, ContentSelection[]>()
  for (const action of actions) {
    if (action.action !== 'copy' || bases.has(action.from)) continue
    // Nothing, or what an action before has left: that follows from the operation itself.
    if (action.from < 0 || action.from >= inputs) continue
    add(selections, action.from, {
      path: action.source,
      followLinks: action.followSymlink,
      wildcard: action.allowWildcard,
      includePatterns: action.includePatterns,
      excludePatterns: action.excludePatterns,
    })
  }
  return selections
}

function mountedFrom({ mounts }: ExecOp): Map<number, ContentSelection[]> {
  const whole = new Set(
    mounts.flatMap((mount) => (mount.type === 'cache' || (mount.type === 'bind' && !mount.contentKey) ? [mount.input] : [])),
  )
  const selections = new Map<number, ContentSelection[]>()
  for (const mount of mounts) {
    if (mount.type !== 'bind' || mount.input < 0 || whole.has(mount.input)) continue
    add(selections, mount.input, {
      path: mount.selector === '' ? '/' : mount.selector,
      followLinks: true,
      wildcard: false,
      includePatterns: [],
      excludePatterns: [],
    })
  }
  return selections
}

/** All of a file system: how a sent directory counts for a step that builds on it. */
export const EVERYTHING: ContentSelection = { path: '/', followLinks: false, wildcard: false, includePatterns: [], excludePatterns: [] }

function add(selections: Map<number, ContentSelection[]>, input: number, selection: ContentSelection): void {
  const known = selections.get(input)
  if (known === undefined) selections.set(input, [selection])
  else known.push(selection)
}
