import type { Digest } from '#oci'
import type { Vertex } from '../graph/types.ts'

/** All vertices that these need, they themselves included; inputs before what uses them. Not recursive: a definition may be thousands of steps deep. */
export function walkGraph(roots: readonly Vertex[]): Vertex[] {
  const found = new Map<Digest, Vertex>()
  const entered = new Set<Digest>()
  const stack = roots.toReversed()
  for (let next = stack.at(-1); next !== undefined; next = stack.at(-1)) {
    if (entered.has(next.id)) {
      stack.pop()
      found.set(next.id, next)
    } else {
      entered.add(next.id)
      for (const { vertex } of next.inputs.toReversed()) if (!entered.has(vertex.id)) stack.push(vertex)
    }
  }
  return [...found.values()]
}
