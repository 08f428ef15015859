import { performance } from 'node:perf_hooks'

/** The heap of this process. */
export interface Heap {
  /** Bytes that V8 has taken from the system for objects. */
  size(): number
  /** Part of the time since the last call in which the main thread was busy, 0 to 1. */
  utilization(): number
  /** Collects garbage and gives memory back: some 60 ms in which nothing else happens. */
  collect(): Promise<void>
}

export interface HeapCareDeps {
  /** Replaced in tests. */
  heap?: Heap
  /** Hears of a collection that failed; the next look tries again. */
  report: (error: unknown) => void
}

/** Milliseconds between two looks. */
const INTERVAL = 10_000
/** A daemon that answers no more than a question a second is idle. */
const IDLE = 0.02
/** Bytes that are not worth the trouble. */
const SMALL = 48 << 20
/** Of what was left last time: there is so much that is really needed. */
const GROWTH = 1.5

/**
 * Gives memory back when the work is done. V8 keeps what a burst of work has taken, and collects only when more is wanted: after a hundred builds that is 100 MiB
 * in which nothing lives. A machine with hundreds of containers has better use for it.
 */
export function startHeapCare({ heap = createHeap(), report }: HeapCareDeps): Disposable {
  let left = 0
  let collecting = false
  heap.utilization()

  async function look(): Promise<void> {
    const isIdle = heap.utilization() < IDLE
    if (!isIdle || collecting || heap.size() < Math.max(SMALL, left * GROWTH)) return
    collecting = true
    try {
      await heap.collect()
      left = heap.size()
    } finally {
      collecting = false
    }
  }

  const timer = setInterval(() => void look().catch(report), INTERVAL).unref()
  return { [Symbol.dispose]: () => clearInterval(timer) }
}

function createHeap(): Heap {
  let before = performance.eventLoopUtilization()
  return {
    size: () => process.memoryUsage().heapTotal,
    utilization() {
      const now = performance.eventLoopUtilization()
      const { utilization } = performance.eventLoopUtilization(now, before)
      before = now
      return utilization
    },
    async collect() {
      // A tool for debugging, but the only way to ask that needs no flag.
      const { Session } = await import('node:inspector/promises')
      const session = new Session()
      session.connect()
      try {
        await session.post('HeapProfiler.collectGarbage')
      } finally {
        session.disconnect()
      }
    },
  }
}
