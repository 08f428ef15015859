import { humanDuration, parseNano } from '#lib'
import type { Container } from './types.ts'

/**
 * The STATUS column of `docker ps`: `Up 2 minutes (healthy)`, `Exited (0) 3 seconds ago`, `Created`. Clients parse these texts, so they are Docker's
 * to the letter. `now`: nanoseconds since the epoch.
 */
export function statusText(container: Pick<Container, 'state' | 'health'>, now: bigint): string {
  const { state, health } = container
  const since = (time: string): string => humanDuration(Number(now - parseNano(time)) / 1e6)
  switch (state.status) {
    case 'created':
      return 'Created'
    case 'running':
      return `Up ${since(state.startedAt)}${healthSuffix(health?.status)}`
    case 'paused':
      return `Up ${since(state.startedAt)} (Paused)`
    case 'restarting':
      return `Restarting (${state.exitCode}) ${since(state.finishedAt)} ago`
    case 'exited':
      return `Exited (${state.exitCode}) ${since(state.finishedAt)} ago`
    case 'removing':
      return 'Removal In Progress'
    default:
      return 'Dead'
  }
}

function healthSuffix(status: NonNullable<Container['health']>['status'] | undefined): string {
  if (status === undefined || status === 'none') return ''
  return status === 'starting' ? ' (health: starting)' : ` (${status})`
}
