import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { deviceProgram } from './device-program.ts'
import { devicesV1, effectiveAccess, type DeviceRule } from './devices.ts'
import { runDeviceProgram, type DeviceRequest } from './ebpf-interpreter.ts'

const DENY_ALL: DeviceRule = { allow: false, access: 'rwm' }
const ALLOW_ALL: DeviceRule = { allow: true, access: 'rwm' }

function decide(rules: DeviceRule[], request: DeviceRequest): boolean {
  const access = effectiveAccess(rules)
  assert.ok(access !== undefined)
  return runDeviceProgram(deviceProgram(access), request)
}

const sda: DeviceRequest = { type: 'b', major: 8, minor: 0, access: 'rw' }

describe('devicesV1', () => {
  it('denies all and allows the minimum of every runtime', () => {
    assert.deepEqual(
      devicesV1([DENY_ALL]).map(({ file, value }) => `${file} ${value}`),
      [
        'devices.deny a',
        'devices.allow c *:* m',
        'devices.allow b *:* m',
        'devices.allow c 1:3 rwm',
        'devices.allow c 1:5 rwm',
        'devices.allow c 1:7 rwm',
        'devices.allow c 1:8 rwm',
        'devices.allow c 1:9 rwm',
        'devices.allow c 5:0 rwm',
        'devices.allow c 5:2 rwm',
        'devices.allow c 10:200 rwm',
        'devices.allow c 136:* rwm',
      ],
    )
  })

  it('allowing all is one write that may fail, and no list is none', () => {
    assert.deepEqual(devicesV1([ALLOW_ALL]), [{ file: 'devices.allow', value: 'a', optional: true }])
    assert.deepEqual(devicesV1(undefined), [])
  })

  it('later rules win over earlier ones', () => {
    const rule: DeviceRule = { allow: true, type: 'b', major: 8, minor: 0, access: 'rwm' }
    const values = (rules: DeviceRule[]): string[] => devicesV1(rules).map(({ value }) => value)
    assert.ok(values([DENY_ALL, rule]).includes('b 8:0 rwm'))
    assert.ok(values([DENY_ALL, rule, { ...rule, allow: false, access: 'w' }]).includes('b 8:0 rm'))
    assert.equal(values([DENY_ALL, rule, DENY_ALL]).includes('b 8:0 rwm'), false)
    assert.deepEqual(values([DENY_ALL, rule, ALLOW_ALL]), ['a'])
  })
})

describe('deviceProgram', () => {
  it('refuses what no rule allows, and allows what one rule covers in full', () => {
    assert.equal(decide([DENY_ALL], sda), false)
    const rule: DeviceRule = { allow: true, type: 'b', major: 8, minor: 0, access: 'r' }
    assert.equal(decide([DENY_ALL, rule], sda), false)
    assert.equal(decide([DENY_ALL, rule], { ...sda, access: 'r' }), true)
    assert.equal(decide([DENY_ALL, { ...rule, access: 'rw' }], sda), true)
    assert.equal(decide([DENY_ALL, { ...rule, access: 'rw' }], { ...sda, minor: 1 }), false)
    assert.equal(decide([DENY_ALL, { ...rule, access: 'rw' }], { ...sda, type: 'c' }), false)
  })

  it('wildcards cover all numbers', () => {
    assert.equal(decide([DENY_ALL, { allow: true, type: 'a', access: 'rw', major: 8 }], { ...sda, minor: 77 }), true)
    assert.equal(decide([DENY_ALL], { type: 'c', major: 136, minor: 42, access: 'rw' }), true, 'a pseudo terminal')
    assert.equal(decide([DENY_ALL], { type: 'b', major: 9, minor: 9, access: 'm' }), true, 'making a node is not opening it')
  })

  it('allows everything but what an exception touches', () => {
    const rules: DeviceRule[] = [ALLOW_ALL, { allow: false, type: 'b', major: 8, minor: 0, access: 'w' }]
    assert.equal(decide(rules, sda), false)
    assert.equal(decide(rules, { ...sda, access: 'r' }), true)
    assert.equal(decide(rules, { ...sda, major: 9 }), true)
  })
})
