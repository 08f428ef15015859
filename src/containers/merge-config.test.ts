import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { commandOf, mergeConfig } from './merge-config.ts'

const IMAGE = {
  User: 'web',
  Env: ['PATH=/bin', 'LANG=C'],
  Entrypoint: ['/entry'],
  Cmd: ['serve'],
  WorkingDir: '/srv',
  Labels: { a: 'image', b: 'image' },
  ExposedPorts: { '80/tcp': {} },
  Volumes: { '/data': {} },
  StopSignal: 'SIGQUIT',
  Healthcheck: { Test: ['CMD', 'check'], Interval: 5e9, Retries: 4 },
}

describe('mergeConfig', () => {
  it('takes everything from the image that the user left out', () => {
    const config = mergeConfig({}, IMAGE)
    assert.deepEqual(commandOf(config), { path: '/entry', args: ['serve'] })
    assert.deepEqual([config.user, config.workingDir, config.stopSignal], ['web', '/srv', 'SIGQUIT'])
    assert.deepEqual([config.exposedPorts, config.volumes], [['80/tcp'], ['/data']])
  })

  it("joins lists with the user's winning", () => {
    const config = mergeConfig({ env: ['LANG=de', 'X=1'], labels: { a: 'user' }, exposedPorts: ['443/tcp'] }, IMAGE)
    assert.deepEqual(config.env, ['LANG=de', 'X=1', 'PATH=/bin'])
    assert.deepEqual(config.labels, { a: 'user', b: 'image' })
    assert.deepEqual(config.exposedPorts, ['443/tcp', '80/tcp'])
  })

  it("a cmd of the user's keeps the entrypoint, an entrypoint drops the cmd", () => {
    assert.deepEqual(commandOf(mergeConfig({ cmd: ['x'] }, IMAGE)), { path: '/entry', args: ['x'] })
    assert.deepEqual(commandOf(mergeConfig({ entrypoint: ['/own'] }, IMAGE)), { path: '/own', args: [] })
  })

  it("an empty entrypoint clears the image's", () => {
    assert.deepEqual(commandOf(mergeConfig({ entrypoint: [''], cmd: ['ls'] }, IMAGE)), { path: 'ls', args: [] })
    assert.deepEqual(commandOf(mergeConfig({ entrypoint: [], cmd: ['ls'] }, IMAGE)), { path: 'ls', args: [] })
  })

  it('fills the gaps of a health check', () => {
    const given = { test: [], interval: 1e9, timeout: 0, startPeriod: 0, startInterval: 0, retries: 0 }
    assert.deepEqual(mergeConfig({ healthcheck: given }, IMAGE).healthcheck, { ...given, test: ['CMD', 'check'], retries: 4 })
  })
})
