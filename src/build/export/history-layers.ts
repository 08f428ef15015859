/** Which entries of an image's history have no layer because their steps left nothing: layers that would be empty are not made. */

import type { ImageHistoryEntry } from '#oci'
import type { Edge } from '../graph/types.ts'

/** Layers of the file system that an edge gave; undefined: not known. */
export type LayerCount = (edge: Edge) => number | undefined

/**
 * The history with `empty_layer` at each entry whose step changed no file. Entries and steps belong together from the top: each step above the base image has
 * one. A history of another shape is left as it is.
 */
export function markEmptySteps(history: readonly ImageHistoryEntry[], top: Edge | undefined, countLayers: LayerCount): ImageHistoryEntry[] {
  const steps = stepsOf(top)
  const entries = history.flatMap((entry, index) => (entry.empty_layer === true ? [] : [index]))
  const below = entries.length - steps.length
  if (below < 0) return [...history]
  const empty = new Set<number>()
  let depth = below
  for (const [index, step] of steps.entries()) {
    const count = countLayers(step) ?? depth + 1
    const entry = entries[below + index]
    if (count <= depth && entry !== undefined) empty.add(entry)
    depth = count
  }
  return history.map((entry, index) => (empty.has(index) ? { ...entry, empty_layer: true } : entry))
}

/** The steps that a file system was made by one above the other, lowest first; sources do not count. */
function stepsOf(top: Edge | undefined): Edge[] {
  const steps: Edge[] = []
  for (let edge = top; edge !== undefined; edge = lowerOf(edge)) if (isStep(edge)) steps.push(edge)
  return steps.reverse()
}

function isStep({ vertex: { op } }: Edge): boolean {
  return op.kind === 'exec' || op.kind === 'file' || op.kind === 'merge' || op.kind === 'diff'
}

/** What a step's file system was made on top of. */
function lowerOf({ vertex, output }: Edge): Edge | undefined {
  const { op, inputs } = vertex
  if (op.kind === 'exec') {
    const mount = op.mounts.find((candidate) => candidate.type === 'bind' && candidate.output === output)
    return mount?.type === 'bind' ? inputs[mount.input] : undefined
  }
  if (op.kind === 'merge') return inputs[0]
  if (op.kind !== 'file') return undefined
  let action = op.actions.find((candidate) => candidate.output === output)
  // An action may build on the one before it in the same step.
  while (action !== undefined && action.input >= inputs.length) action = op.actions[action.input - inputs.length]
  return action === undefined ? undefined : inputs[action.input]
}
