import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { availableCapabilities, CAPABILITIES, containerCapabilities, DEFAULT_CAPABILITIES, normalizeCapabilities } from './capabilities.ts'

const none = { add: [], drop: [], privileged: false }

describe('availableCapabilities', () => {
  it('is what is both effective and in the bounding set', () => {
    assert.deepEqual(availableCapabilities('Name:\tx\nCapEff:\t0000000000000003\nCapBnd:\t0000000000000006\n'), ['CAP_DAC_OVERRIDE'])
  })

  it('knows forty-one capabilities and reads the last of them', () => {
    const all = availableCapabilities('CapEff:\t000001ffffffffff\nCapBnd:\t000001ffffffffff\n')
    assert.equal(all.length, 41)
    assert.equal(all.at(-1), 'CAP_CHECKPOINT_RESTORE')
  })
})

describe('normalizeCapabilities', () => {
  it('takes any case, with or without prefix, and ALL', () => {
    assert.deepEqual(normalizeCapabilities(['net_admin', 'CAP_SYS_TIME', 'all'], CAPABILITIES), ['CAP_NET_ADMIN', 'CAP_SYS_TIME', 'ALL'])
  })

  it('refuses unknown and unavailable ones with the texts of Docker', () => {
    assert.throws(() => normalizeCapabilities(['fly'], CAPABILITIES), {
      code: 'INVALID_ARGUMENT',
      message: 'unknown capability: "CAP_FLY"',
    })
    assert.throws(() => normalizeCapabilities(['SYS_TIME'], DEFAULT_CAPABILITIES), {
      code: 'INVALID_ARGUMENT',
      message: 'capability not supported by your kernel or not available in the current environment: "CAP_SYS_TIME"',
    })
  })
})

describe('containerCapabilities', () => {
  it('is the default fourteen when nothing is asked for', () => {
    assert.equal(DEFAULT_CAPABILITIES.length, 14)
    assert.deepEqual(containerCapabilities(none, CAPABILITIES), DEFAULT_CAPABILITIES)
  })

  it('leaves out defaults that the host lacks', () => {
    assert.deepEqual(containerCapabilities(none, ['CAP_CHOWN', 'CAP_SYS_ADMIN']), ['CAP_CHOWN'])
  })

  it('adds and drops, once each', () => {
    const set = containerCapabilities({ add: ['NET_ADMIN', 'chown'], drop: ['KILL'], privileged: false }, CAPABILITIES)
    assert.equal(set.includes('CAP_KILL'), false)
    assert.deepEqual(
      set.filter((name) => name === 'CAP_CHOWN' || name === 'CAP_NET_ADMIN'),
      ['CAP_CHOWN', 'CAP_NET_ADMIN'],
    )
  })

  it('drop ALL leaves what is added, add ALL leaves out what is dropped, and add ALL wins', () => {
    assert.deepEqual(containerCapabilities({ add: ['CHOWN'], drop: ['ALL'], privileged: false }, CAPABILITIES), ['CAP_CHOWN'])
    const rest = containerCapabilities({ add: ['ALL'], drop: ['ALL', 'SYS_ADMIN'], privileged: false }, CAPABILITIES)
    assert.deepEqual(
      rest,
      CAPABILITIES.filter((name) => name !== 'CAP_SYS_ADMIN'),
    )
  })

  it('is all the host has when privileged, whatever else is asked for', () => {
    assert.deepEqual(containerCapabilities({ add: [], drop: ['ALL'], privileged: true }, CAPABILITIES), CAPABILITIES)
  })
})
