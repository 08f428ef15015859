import { vertex } from '../graph/digest.ts'
import type { Edge, InputIndex, Op, VertexMeta } from '../graph/types.ts'

/**
 * A file system while the Dockerfile is still being read; undefined: an empty one. It is no {@link Edge} yet, because the name of a vertex covers all below it,
 * and what is sent of the build's context is known only when the last COPY has been read.
 */
export type Tree = StepTree | KnownTree | LateTree | undefined

/** The first output of an operation on other trees. */
export interface StepTree {
  readonly kind: 'step'
  readonly op: Op
  readonly inputs: readonly Tree[]
  readonly meta: VertexMeta
}

export interface KnownTree {
  readonly kind: 'known'
  readonly edge: Edge
}

/** Asked once, when everything has been read. */
export interface LateTree {
  readonly kind: 'late'
  edge(): Edge
}

export function stepTree(op: Op, inputs: readonly Tree[], meta: VertexMeta): StepTree {
  return { kind: 'step', op, inputs, meta }
}

/** Collects what an operation reads, each tree once. */
export class Inputs {
  readonly trees: FullTree[] = []

  /** Where `tree` is among the inputs; -1 for an empty one. */
  index(tree: Tree): InputIndex {
    if (tree === undefined) return -1
    const known = this.trees.indexOf(tree)
    return known >= 0 ? known : this.trees.push(tree) - 1
  }
}

type FullTree = Exclude<Tree, undefined>

/** Turns trees into edges, each tree into the same edge every time. Inputs of an operation are never empty trees: those have the index -1. */
export function createSealer(): (tree: Tree) => Edge | undefined {
  const sealed = new Map<Tree, Edge>()
  return (tree) => {
    // By hand and not by recursion: stages may be deeper than the stack.
    const pending: FullTree[] = tree === undefined ? [] : [tree]
    for (let next = pending.at(-1); next !== undefined; next = pending.at(-1)) {
      const open = sealed.has(next) ? [] : inputsOf(next).filter((input) => !sealed.has(input))
      if (open.length > 0) pending.push(...open)
      else {
        pending.pop()
        if (!sealed.has(next)) sealed.set(next, makeEdge(next, sealed))
      }
    }
    return sealed.get(tree)
  }
}

function inputsOf(tree: FullTree): FullTree[] {
  return tree.kind === 'step' ? tree.inputs.filter((input) => input !== undefined) : []
}

function makeEdge(tree: FullTree, sealed: ReadonlyMap<Tree, Edge>): Edge {
  if (tree.kind === 'known') return tree.edge
  if (tree.kind === 'late') return tree.edge()
  const inputs = inputsOf(tree).flatMap((input) => sealed.get(input) ?? [])
  return { vertex: vertex(tree.op, inputs, tree.meta), output: 0 }
}
