import { digestOfData } from './graph/digest.ts'
import type { Vertex } from './graph/types.ts'
import { PLAIN_EXEC } from './graph/plain-exec.ts'
import type { Progress } from './progress.ts'
import type { VertexDisplay } from './solver/vertex-display.ts'
import type { FrontendWork } from './types.ts'

/** Work of a frontend, which is in no graph, as a vertex of this name. */
export function showFrontend(
  name: string,
  { display, progress, now }: { display: VertexDisplay; progress: Progress; now: () => number },
): FrontendWork {
  const vertex: Vertex = { id: digestOfData({ frontend: name }), op: PLAIN_EXEC, inputs: [], meta: { name } }
  const shown = display.start(vertex)
  return {
    log: (stream, data) => progress.send({ kind: 'log', vertex: vertex.id, stream, data, timestamp: now() }),
    done: () => shown.done(),
    failed: (error) => shown.failed(error),
  }
}
