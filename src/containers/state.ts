import { conflict, EngineError } from '#errors'
import type { ContainerState } from './types.ts'

/** How a run ended. `finishedAt`: RFC 3339 with nanoseconds. */
export interface Ending {
  exitCode: number
  oomKilled: boolean
  finishedAt: string
  error: string
}

/** What can happen to a container. */
export type Transition =
  | { to: 'running'; pid: number; startedAt: string }
  | { to: 'paused' }
  | { to: 'unpaused' }
  | ({ to: 'restarting' } & Ending)
  | ({ to: 'exited' } & Ending)
  /** A start that came to nothing: the state stays, code and text are kept for inspect. */
  | { to: 'start-failed'; exitCode: number; error: string }
  | { to: 'removing' }
  /** A removal that failed half way; only another removal is possible. */
  | { to: 'dead'; error: string }

type Status = ContainerState['status']

const ALLOWED: Record<Transition['to'], readonly Status[]> = {
  running: ['created', 'exited', 'restarting'],
  paused: ['running'],
  unpaused: ['paused'],
  restarting: ['running', 'paused'],
  exited: ['running', 'paused', 'restarting'],
  'start-failed': ['created', 'exited', 'restarting'],
  removing: ['created', 'exited', 'restarting', 'dead', 'removing'],
  dead: ['removing'],
}

/** Go's zero time, which Docker shows for what has not happened. */
export const ZERO_TIME = '0001-01-01T00:00:00Z'

/** Whether a process exists (running or frozen). */
export function isActive(state: ContainerState): state is Extract<ContainerState, { status: 'running' | 'paused' }> {
  return state.status === 'running' || state.status === 'paused'
}

/** Exit code, error text and times of the last run, whatever the state; zero values where there was none. */
export function lastEnding(state: ContainerState): Ending & { startedAt: string } {
  switch (state.status) {
    case 'created':
      return { startedAt: ZERO_TIME, finishedAt: ZERO_TIME, exitCode: state.exitCode ?? 0, oomKilled: false, error: state.error ?? '' }
    case 'running':
    case 'paused':
      return { startedAt: state.startedAt, finishedAt: ZERO_TIME, exitCode: 0, oomKilled: false, error: '' }
    default: {
      const { startedAt, finishedAt, exitCode, oomKilled, error } = state
      return { startedAt, finishedAt, exitCode, oomKilled, error }
    }
  }
}

/**
 * The state after `change`. The only function that makes a state.
 * Throws CONFLICT (NOT_MODIFIED for a start of what runs) with Docker's text when the change is not possible from `state`.
 */
export function transition(id: string, state: ContainerState, change: Transition): ContainerState {
  if (!ALLOWED[change.to].includes(state.status)) throw illegal(id, state.status, change.to)
  const last = lastEnding(state)
  switch (change.to) {
    case 'running':
      return { status: 'running', pid: change.pid, startedAt: change.startedAt }
    case 'paused':
    case 'unpaused': {
      const { pid, startedAt } = state as Extract<ContainerState, { pid: number }>
      return { status: change.to === 'paused' ? 'paused' : 'running', pid, startedAt }
    }
    case 'restarting':
    case 'exited': {
      const { exitCode, oomKilled, finishedAt, error } = change
      return { status: change.to, startedAt: last.startedAt, finishedAt, exitCode, oomKilled, error }
    }
    case 'start-failed': {
      const { exitCode, error } = change
      return state.status === 'created'
        ? { status: 'created', exitCode, error }
        : { status: 'exited', startedAt: last.startedAt, finishedAt: last.finishedAt, oomKilled: false, exitCode, error }
    }
    case 'removing':
      return { status: 'removing', ...last }
    case 'dead':
      return { status: 'dead', ...last, error: change.error }
  }
}

/** Texts: moby daemon/{start,pause,unpause,delete,errors}.go. */
function illegal(id: string, from: Status, to: Transition['to']): EngineError {
  if (to === 'running' || to === 'start-failed') {
    if (from === 'running') return new EngineError('NOT_MODIFIED', 'Container is already started')
    if (from === 'paused') return conflict('cannot start a paused container, try unpause instead')
    return conflict('container is marked for removal and cannot be started')
  }
  if (to === 'paused') {
    if (from === 'paused') return conflict(`container ${id} is already paused`)
    if (from === 'restarting') return isRestarting(id)
    return notRunning(id)
  }
  if (to === 'unpaused') return conflict(`Container ${id} is not paused`)
  if (to === 'removing') return conflict(`cannot remove container "${id}": container is ${from}`)
  return notRunning(id)
}

export function notRunning(id: string): EngineError {
  return conflict(`container ${id} is not running`)
}

export function isRestarting(id: string): EngineError {
  return conflict(`container ${id} is restarting, wait until the container is running`)
}
