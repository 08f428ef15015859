import type { ContainerConfig, Healthcheck } from './configuration.ts'
import type { Health, HealthResult } from './types.ts'

const SECOND = 1e9
const DEFAULT_INTERVAL = 30 * SECOND
const DEFAULT_TIMEOUT = 30 * SECOND
const DEFAULT_START_INTERVAL = 5 * SECOND
const DEFAULT_RETRIES = 3
const LOG_ENTRIES = 5

/** The program of the check; undefined: there is none. Source: Dockerfile reference, HEALTHCHECK. */
export function probeCommand(config: Pick<ContainerConfig, 'healthcheck' | 'shell'>): string[] | undefined {
  const [kind, ...rest] = config.healthcheck?.test ?? []
  if (rest.length === 0) return undefined
  if (kind === 'CMD') return rest
  if (kind === 'CMD-SHELL') return [...(config.shell?.length ? config.shell : ['/bin/sh', '-c']), ...rest]
  return undefined
}

/** Nanoseconds one probe may take. */
export function probeTimeout(check: Healthcheck): number {
  return check.timeout || DEFAULT_TIMEOUT
}

/**
 * Nanoseconds until the next probe. In the start period a container that was never healthy is asked more often; when the period ends before
 * the next probe, that one comes right at its end.
 */
export function nextProbeIn(check: Healthcheck, status: Health['status'], sinceStart: number): number {
  const interval = check.interval || DEFAULT_INTERVAL
  const remaining = check.startPeriod - sinceStart
  if (remaining <= 0 || status !== 'starting') return interval
  return Math.min(check.startInterval || DEFAULT_START_INTERVAL, Math.max(remaining, 0))
}

/**
 * The health after a probe that began `startedAfter` nanoseconds after the container. Failures within the start period do not count as long
 * as the container was never healthy. Source: moby daemon/health.go.
 */
export function judge(check: Healthcheck, health: Health, result: HealthResult, startedAfter: number): Health {
  const log = [...health.log, result].slice(-LOG_ENTRIES)
  if (result.exitCode === 0) return { status: 'healthy', failingStreak: 0, log }
  if (health.status === 'starting' && startedAfter < check.startPeriod) return { ...health, log }
  const failingStreak = health.failingStreak + 1
  return { status: failingStreak >= (check.retries || DEFAULT_RETRIES) ? 'unhealthy' : health.status, failingStreak, log }
}
