import { codeOf } from '#errors'
import { digestOf } from '#oci'
import type { Digest } from '#oci'
import type { Progress, StatusEvent, VertexEvent } from '../progress.ts'

/** Milliseconds between two numbers of one status. */
const INTERVAL = 100

/** What an export tells about itself. */
export interface ExportVertex {
  /** Does one thing and shows how long it took. */
  step<T>(name: string, work: (count: (current: number, total?: number) => void) => Promise<T>): Promise<T>
}

/** Shows `work` as a vertex of its own, named as BuildKit names it. `id` tells it from others of the same build. */
export async function exportVertex<T>(
  progress: Progress,
  name: string,
  id: string,
  work: (vertex: ExportVertex) => Promise<T>,
): Promise<T> {
  const vertex = { kind: 'vertex', id: digestOf(Buffer.from(`export ${id}`)), inputs: [], name, cached: false, started: now() } as const
  progress.send(vertex)
  try {
    const result = await work({ step: (status, task) => step(progress, vertex.id, status, task) })
    progress.send({ ...vertex, completed: now() })
    return result
  } catch (error) {
    progress.send({ ...vertex, completed: now(), error: textOf(error) } satisfies VertexEvent)
    throw error
  }
}

async function step<T>(
  progress: Progress,
  vertex: Digest,
  name: string,
  task: (count: (current: number, total?: number) => void) => Promise<T>,
): Promise<T> {
  let status: StatusEvent = { kind: 'status', vertex, id: name, name, current: 0, total: 0, timestamp: now(), started: now() }
  let shown = status.timestamp
  progress.send(status)
  try {
    return await task((current, total = 0) => {
      status = { ...status, current, total, timestamp: now() }
      if (status.timestamp - shown < INTERVAL) return
      shown = status.timestamp
      progress.send(status)
    })
  } finally {
    progress.send({ ...status, timestamp: now(), completed: now() })
  }
}

function now(): number {
  return performance.timeOrigin + performance.now()
}

function textOf(error: unknown): string {
  if (codeOf(error) === 'CANCELLED') return 'context canceled'
  return error instanceof Error ? error.message : String(error)
}
