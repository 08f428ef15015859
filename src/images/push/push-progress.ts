import type { ProgressMessage } from '../types.ts'

/** Milliseconds between two numbers. */
const INTERVAL = 100

/** Tells in Docker's words how one layer gets on. */
export interface PushProgress {
  say(status: string): void
  count(current: number, total: number): void
}

export function createPushProgress(report: (message: ProgressMessage) => void, id: string): PushProgress {
  let last = -Infinity
  return {
    say: (status) => report({ id, status }),
    count(current, total) {
      const now = performance.now()
      if (now - last < INTERVAL) return
      last = now
      report({ id, status: 'Pushing', progress: { current, total } })
    },
  }
}

/** For what the user does not see. */
export const SILENT: PushProgress = { say: () => {}, count: () => {} }
