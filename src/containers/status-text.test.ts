import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseNano } from '#lib'
import { statusText } from './status-text.ts'
import type { Container, ContainerState } from './types.ts'

const NOW = parseNano('2024-05-06T07:10:00Z')
const startedAt = '2024-05-06T07:08:00Z'
const ended = { startedAt, finishedAt: '2024-05-06T07:09:57Z', exitCode: 1, oomKilled: false, error: '' }

function text(state: ContainerState, health?: NonNullable<Container['health']>['status']): string {
  return statusText({ state, ...(health && { health: { status: health, failingStreak: 0, log: [] } }) }, NOW)
}

test("statusText words every state as Docker's ps", () => {
  assert.equal(text({ status: 'created' }), 'Created')
  assert.equal(text({ status: 'running', pid: 1, startedAt }), 'Up 2 minutes')
  assert.equal(text({ status: 'paused', pid: 1, startedAt }, 'healthy'), 'Up 2 minutes (Paused)')
  assert.equal(text({ status: 'restarting', ...ended }), 'Restarting (1) 3 seconds ago')
  assert.equal(text({ status: 'exited', ...ended, exitCode: 0 }), 'Exited (0) 3 seconds ago')
  assert.equal(text({ status: 'removing', ...ended }), 'Removal In Progress')
  assert.equal(text({ status: 'dead', ...ended }), 'Dead')
})

test('statusText adds health while running', () => {
  const state: ContainerState = { status: 'running', pid: 1, startedAt: '2024-05-06T07:09:59.9Z' }
  assert.equal(text(state, 'starting'), 'Up Less than a second (health: starting)')
  assert.equal(text(state, 'healthy'), 'Up Less than a second (healthy)')
  assert.equal(text(state, 'unhealthy'), 'Up Less than a second (unhealthy)')
  assert.equal(text(state, 'none'), 'Up Less than a second')
})
