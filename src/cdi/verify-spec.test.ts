import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { decodeSpec } from './decode-spec.ts'
import { verifySpec } from './verify-spec.ts'

const VALID = { cdiVersion: '0.3.0', kind: 'vendor.com/class', devices: [{ name: 'a', containerEdits: { env: ['A=1'] } }] }

async function verify(changes: object): Promise<void> {
  verifySpec(await decodeSpec(JSON.stringify({ ...VALID, ...changes })))
}

const refused = async (changes: object, message: string | RegExp): Promise<void> =>
  await assert.rejects(verify(changes), { code: 'INVALID_ARGUMENT', message })

/** One device with these edits. */
const edits = (containerEdits: object): object => ({ devices: [{ name: 'a', containerEdits }] })

describe('verifySpec', () => {
  it('takes what is right', async () => {
    await verify({})
    await verify({ cdiVersion: '1.0.0', ...edits({ additionalGids: [5], hooks: [{ hookName: 'poststop', path: '/h', timeout: 1 }] }) })
  })

  it('refuses versions that are unknown or older than what is used', async () => {
    await refused({ cdiVersion: '0.9.9' }, 'invalid CDI Spec: invalid version "0.9.9"')
    await refused(edits({ additionalGids: [5] }), 'invalid CDI Spec: the spec version must be at least v0.7.0')
    await refused({ kind: 'vendor.com/a.b' }, 'invalid CDI Spec: the spec version must be at least v0.6.0')
    await refused(edits({ deviceNodes: [{ path: '/a', hostPath: '/b' }] }), 'invalid CDI Spec: the spec version must be at least v0.5.0')
    await refused(edits({ mounts: [{ hostPath: '/a', containerPath: '/b', type: 'bind' }] }), /at least v0\.4\.0/)
  })

  it('refuses kinds and names that are none', async () => {
    await refused({ kind: 'class' }, 'invalid CDI Spec: invalid vendor. empty name')
    await refused({ kind: '1.com/class' }, 'invalid CDI Spec: invalid vendor. "1.com", should start with letter')
    await refused({ kind: 'v.com/cl+ass' }, `invalid CDI Spec: invalid class. invalid character '+' in name "cl+ass"`)
    await refused({ devices: [{ name: 'a-', containerEdits: {} }] }, /failed add device "a-": invalid name "a-", should end with/)
    await refused({ devices: [...VALID.devices, ...VALID.devices] }, 'invalid CDI Spec: invalid spec, multiple device "a"')
    await refused({ devices: [] }, 'invalid CDI Spec: invalid spec, no devices')
    await refused(edits({}), 'invalid CDI Spec: failed add device "a": invalid device, empty device edits')
  })

  it('refuses annotations without a proper name', async () => {
    await refused({ cdiVersion: '0.6.0', annotations: { 'a b': 'c' } }, /vendor\.com\/class\.annotations\.a b is invalid/)
  })
})

describe('decodeSpec', () => {
  it('refuses edits that cannot be, by name', async () => {
    await refused(edits({ env: ['A'] }), /invalid environment variable "A"/)
    await refused(edits({ deviceNodes: [{ path: '' }] }), 'invalid (empty) device path')
    await refused(edits({ deviceNodes: [{ path: '/a', type: 'x' }] }), 'device "/a": invalid type "x"')
    await refused(edits({ deviceNodes: [{ path: '/a', permissions: 'rx' }] }), 'device "/a": invalid permissions "rx"')
    await refused(edits({ deviceNodes: [{ path: '/a', major: -1 }] }), 'device "/a": invalid (negative) device number -1:0')
    await refused(edits({ hooks: [{ hookName: 'before', path: '/h' }] }), 'invalid hook name "before"')
    await refused(edits({ hooks: [{ hookName: 'poststop' }] }), 'invalid hook "poststop" with empty path')
    await refused(edits({ mounts: [{ hostPath: '/a' }] }), 'invalid mount, empty container path')
    await refused({ devices: {} }, 'failed to unmarshal CDI Spec: devices is not a list')
    await refused(edits({ env: [1, {}] }), 'failed to unmarshal CDI Spec: devices[0].containerEdits.env[1] is not a string')
  })

  it('reads modes of YAML as octal, and no bomb of aliases', async () => {
    const yaml = 'kind: v.com/c\ndevices: [{name: a, containerEdits: {deviceNodes: [{path: /dev/a, fileMode: 0660}]}}]'
    const spec = await decodeSpec(yaml)
    assert.equal(spec.devices[0]?.edits.deviceNodes[0]?.fileMode, 0o660)
    const bomb = [
      'a: &a [x, x]',
      ...'bcdefghij'.split('').map((name, index) => `${name}: &${name} [${`*${'abcdefghi'[index]}, `.repeat(9)}]`),
    ]
    await assert.rejects(decodeSpec(bomb.join('\n')), { code: 'INVALID_ARGUMENT', message: /alias/ })
  })
})
