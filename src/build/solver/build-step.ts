import type { Vertex } from '../graph/types.ts'
import type { Step } from '../types.ts'
import type { BuildScope } from './solver.ts'
import { StepFeed, type StepListener } from './step-feed.ts'

/** A build that waits for `vertex`. */
export function listenerOf(scope: BuildScope, vertex: Vertex): StepListener {
  const { session, entitlements, progress } = scope
  return { vertex, session, sessionOf: (id) => scope.sessionOf(id), entitlements, progress }
}

/** What is done for one build alone: asking what a source is, opening a container. All it makes is held until the build ends. */
export function ownStep(scope: BuildScope, vertex: Vertex, signal: AbortSignal, now: () => number): Step {
  const feed = new StepFeed(now)
  feed.add(listenerOf(scope, vertex))
  return feed.step(vertex, signal, scope.lease)
}
