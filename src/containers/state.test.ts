import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { EngineError } from '#errors'
import { transition, ZERO_TIME, type Transition } from './state.ts'
import type { ContainerState } from './types.ts'

const ENDED = { startedAt: 'S', finishedAt: 'F', exitCode: 3, oomKilled: false, error: '' }
const STATES: Record<ContainerState['status'], ContainerState> = {
  created: { status: 'created' },
  running: { status: 'running', pid: 7, startedAt: 'S' },
  paused: { status: 'paused', pid: 7, startedAt: 'S' },
  restarting: { status: 'restarting', ...ENDED },
  exited: { status: 'exited', ...ENDED },
  removing: { status: 'removing', ...ENDED },
  dead: { status: 'dead', ...ENDED },
}
const ENDING = { exitCode: 9, oomKilled: true, finishedAt: 'G', error: '' }
const CHANGES: Record<Transition['to'], Transition> = {
  running: { to: 'running', pid: 8, startedAt: 'T' },
  paused: { to: 'paused' },
  unpaused: { to: 'unpaused' },
  restarting: { to: 'restarting', ...ENDING },
  exited: { to: 'exited', ...ENDING },
  'start-failed': { to: 'start-failed', exitCode: 127, error: 'no' },
  removing: { to: 'removing' },
  dead: { to: 'dead', error: 'no' },
}

/** The whole table, written down independently of the code: rows are states, columns changes; x: possible. */
const TABLE = `
            running paused unpaused restarting exited start-failed removing dead
created     x       .      .        .          .      x            x        .
running     .       x      .        x          x      .            .        .
paused      .       .      x        x          x      .            .        .
restarting  x       .      .        .          x      x            x        .
exited      x       .      .        .          .      x            x        .
removing    .       .      .        .          .      .            x        x
dead        .       .      .        .          .      .            x        .
`

describe('transition', () => {
  const [head = [], ...rows] = TABLE.trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
  for (const [from = '', ...cells] of rows) {
    for (const [index, cell] of cells.entries()) {
      const to = head[index] as Transition['to']
      it(`${cell === 'x' ? 'allows' : 'refuses'} ${to} from ${from}`, () => {
        const change = (): ContainerState => transition('c1', STATES[from as ContainerState['status']], CHANGES[to])
        if (cell === 'x') assert.doesNotThrow(change)
        else assert.throws(change, EngineError)
      })
    }
  }

  const refusal = (from: ContainerState['status'], to: Transition['to'], code: string, message: string): void => {
    assert.throws(() => transition('c1', STATES[from], CHANGES[to]), { code, message })
  }

  it("refuses with Docker's texts", () => {
    refusal('running', 'running', 'NOT_MODIFIED', 'Container is already started')
    refusal('paused', 'running', 'CONFLICT', 'cannot start a paused container, try unpause instead')
    refusal('removing', 'running', 'CONFLICT', 'container is marked for removal and cannot be started')
    refusal('exited', 'paused', 'CONFLICT', 'container c1 is not running')
    refusal('paused', 'paused', 'CONFLICT', 'container c1 is already paused')
    refusal('running', 'unpaused', 'CONFLICT', 'Container c1 is not paused')
    refusal('restarting', 'paused', 'CONFLICT', 'container c1 is restarting, wait until the container is running')
  })

  it('keeps the start time over pause, unpause and exit', () => {
    const paused = transition('c1', STATES.running, { to: 'paused' })
    assert.deepEqual(paused, { status: 'paused', pid: 7, startedAt: 'S' })
    assert.deepEqual(transition('c1', paused, { to: 'unpaused' }), STATES.running)
    assert.deepEqual(transition('c1', paused, CHANGES.exited), { status: 'exited', startedAt: 'S', ...ENDING })
  })

  it('keeps code and text of a failed start in created, and the times of the last run in exited', () => {
    assert.deepEqual(transition('c1', STATES.created, CHANGES['start-failed']), { status: 'created', exitCode: 127, error: 'no' })
    assert.deepEqual(transition('c1', STATES.exited, CHANGES['start-failed']), { status: 'exited', ...ENDED, exitCode: 127, error: 'no' })
  })

  it('gives a container that never ran zero times when it is removed', () => {
    assert.deepEqual(transition('c1', STATES.created, { to: 'removing' }), {
      status: 'removing',
      startedAt: ZERO_TIME,
      finishedAt: ZERO_TIME,
      exitCode: 0,
      oomKilled: false,
      error: '',
    })
  })
})
