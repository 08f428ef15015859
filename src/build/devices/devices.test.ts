import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { CdiDevice } from '#cdi'
import type { Entitlement } from '../types.ts'
import { allowDevices } from './allow-devices.ts'
import { deviceGrants } from './device-grants.ts'
import { findDevices } from './find-devices.ts'

const device = (name: string, annotations: Record<string, string> = {}): CdiDevice => ({ name, annotations })

const KNOWN = [
  device('v.com/a=0'),
  device('v.com/a=1', { 'org.mobyproject.buildkit.device.class': 'fast' }),
  device('v.com/a=2', { 'org.mobyproject.buildkit.device.class': 'fast' }),
  device('v.com/free=0', { 'org.mobyproject.buildkit.device.autoallow': 'true' }),
]

describe('findDevices', () => {
  const find = (...names: string[]): string[] =>
    findDevices(
      names.map((name) => ({ name, optional: false })),
      KNOWN,
    )

  it('finds one, the first of a kind, all, and those of a class, each once', () => {
    assert.deepEqual(find('v.com/a=1'), ['v.com/a=1'])
    assert.deepEqual(find('v.com/a'), ['v.com/a=0'])
    assert.deepEqual(find('v.com/a=*'), ['v.com/a=0', 'v.com/a=1', 'v.com/a=2'])
    assert.deepEqual(find('v.com/a=fast', 'v.com/a=2', 'v.com/free'), ['v.com/a=1', 'v.com/a=2', 'v.com/free=0'])
  })
  it('refuses what is not there, unless it need not be', () => {
    assert.throws(() => find('v.com/a=9'), { code: 'NOT_FOUND', message: 'required device "v.com/a=9" is not registered' })
    assert.deepEqual(findDevices([{ name: 'v.com/a=9', optional: true }], KNOWN), [])
  })
  it('refuses what is no name', () => {
    assert.throws(() => find('a=b'), { code: 'INVALID_ARGUMENT', message: 'invalid device "a=b"' })
    assert.throws(() => find('v.com/+=b'), { message: /^invalid device "v\.com\/\+=b": invalid class\./ })
  })
})

describe('allowDevices', () => {
  const allow = (entitlements: Entitlement[], ...names: string[]): string[] =>
    allowDevices(
      names.map((name) => ({ name, optional: false })),
      deviceGrants(entitlements),
      KNOWN,
    )

  it('gives what the client allows, and what needs no leave', () => {
    assert.deepEqual(allow(['device'], 'v.com/a=0', 'v.com/a=1'), ['v.com/a=0', 'v.com/a=1'])
    assert.deepEqual(allow(['device=v.com/a=0'], 'v.com/a'), ['v.com/a=0'])
    assert.deepEqual(allow(['device=v.com/a=fast'], 'v.com/a=2'), ['v.com/a=2'])
    assert.deepEqual(allow([], 'v.com/free=0'), ['v.com/free=0'])
  })
  it('refuses the rest by name', () => {
    const code = 'FORBIDDEN'
    assert.throws(() => allow(['network.host'], 'v.com/a=0'), {
      code,
      message: 'device v.com/a=0 is requested by the build but not allowed',
    })
    assert.throws(() => allow(['device=v.com/a=0'], 'v.com/a=*'), {
      code,
      message: 'devices v.com/a=1, v.com/a=2 are requested by the build but not allowed',
    })
  })
  it('knows a device by the name that the client gives it', () => {
    assert.deepEqual(allow(['device=v.com/a=1,alias=any.org/gpu'], 'any.org/gpu', 'v.com/free'), ['v.com/a=1', 'v.com/free=0'])
    assert.throws(() => allow(['device=v.com/a=1,alias=any.org/gpu'], 'v.com/a=1'), { code: 'FORBIDDEN' })
  })
  it('refuses grants that are none', () => {
    assert.throws(() => deviceGrants(['device=v.com/a=1,x']), { message: 'invalid device config "x"' })
    assert.throws(() => deviceGrants(['device=v.com/a=1,x=y']), { message: 'unknown device config key "x"' })
  })
})
