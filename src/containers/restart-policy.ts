import type { HostConfig } from './configuration.ts'

/** Docker's back-off: doubles from 100 ms to a minute; a run of ten seconds clears it. Source: moby restartmanager. */
const FIRST_DELAY_MS = 100
const LONGEST_DELAY_MS = 60_000
const GOOD_RUN_MS = 10_000

/** Delay before the last start by policy. */
export interface RestartBackoff {
  delayMs: number
}

/** What the policy says when nobody asked for the end. `restartCount`: restarts by policy since the last start by hand. */
export function shouldRestart(
  policy: HostConfig['restartPolicy'],
  ending: { exitCode: number; manuallyStopped: boolean; restartCount: number },
): boolean {
  switch (policy.name) {
    case 'no':
      return false
    case 'always':
      return true
    case 'unless-stopped':
      return !ending.manuallyStopped
    case 'on-failure':
      return ending.exitCode !== 0 && (policy.maximumRetryCount === 0 || ending.restartCount < policy.maximumRetryCount)
  }
}

/** The wait before the next start, after a run of `runMs`. */
export function nextBackoff(previous: RestartBackoff | undefined, runMs: number): RestartBackoff {
  if (previous === undefined || runMs >= GOOD_RUN_MS) return { delayMs: FIRST_DELAY_MS }
  return { delayMs: Math.min(previous.delayMs * 2, LONGEST_DELAY_MS) }
}
