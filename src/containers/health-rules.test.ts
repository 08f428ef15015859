import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { judge, nextProbeIn, probeCommand } from './health-rules.ts'
import type { Healthcheck } from './configuration.ts'
import type { Health } from './types.ts'

const CHECK: Healthcheck = { test: ['CMD', 'true'], interval: 0, timeout: 0, startPeriod: 0, startInterval: 0, retries: 0 }
const STARTING: Health = { status: 'starting', failingStreak: 0, log: [] }
const result = (exitCode: number) => ({ start: '', end: '', exitCode, output: '' })

describe('probeCommand', () => {
  it('reads the forms of HEALTHCHECK', () => {
    const command = (test: string[], shell: string[] | null = null) => probeCommand({ healthcheck: { ...CHECK, test }, shell })
    assert.deepEqual(command(['CMD', 'curl', '-f', 'x']), ['curl', '-f', 'x'])
    assert.deepEqual(command(['CMD-SHELL', 'a || b']), ['/bin/sh', '-c', 'a || b'])
    assert.deepEqual(command(['CMD-SHELL', 'a'], ['/bin/bash', '-ec']), ['/bin/bash', '-ec', 'a'])
    for (const none of [['NONE'], [], ['CMD'], ['curl', 'x']]) assert.equal(command(none), undefined)
  })
})

describe('judge', () => {
  it('is healthy with the first success and unhealthy after three failures in a row', () => {
    let health = judge(CHECK, STARTING, result(0), 0)
    assert.equal(health.status, 'healthy')
    const seen = [1, 1, 0, 1, 1, 1].map((code) => {
      health = judge(CHECK, health, result(code), 0)
      return `${health.status} ${health.failingStreak}`
    })
    assert.deepEqual(seen, ['healthy 1', 'healthy 2', 'healthy 0', 'healthy 1', 'healthy 2', 'unhealthy 3'])
    assert.equal(health.log.length, 5)
  })

  it('does not count failures in the start period, until the first success', () => {
    const check = { ...CHECK, startPeriod: 10e9, retries: 1 }
    assert.deepEqual(judge(check, STARTING, result(1), 9e9).status, 'starting')
    assert.deepEqual(judge(check, STARTING, result(1), 10e9).status, 'unhealthy')
    assert.deepEqual(judge(check, { ...STARTING, status: 'healthy' }, result(1), 1e9).status, 'unhealthy')
  })
})

describe('nextProbeIn', () => {
  it('asks every interval, and more often while starting in the start period', () => {
    const check = { ...CHECK, startPeriod: 60e9, startInterval: 2e9 }
    assert.equal(nextProbeIn(CHECK, 'starting', 0), 30e9)
    assert.equal(nextProbeIn(check, 'starting', 0), 2e9)
    assert.equal(nextProbeIn(check, 'starting', 59e9), 1e9)
    assert.equal(nextProbeIn(check, 'healthy', 0), 30e9)
    assert.equal(nextProbeIn(check, 'starting', 60e9), 30e9)
  })
})
