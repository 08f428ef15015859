import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { builderOptions, DEFAULT_BUILDER } from './builder-values.ts'

describe('builderOptions', () => {
  it('is dockerd without the key', () => {
    assert.equal(DEFAULT_BUILDER.gc.enabled, true)
    assert.deepEqual(DEFAULT_BUILDER.entitlements, { networkHost: true, securityInsecure: false, device: true })
  })

  it('takes spaces, in old names too, and rules with ages', () => {
    const { gc } = builderOptions({
      gc: {
        enabled: true,
        defaultKeepStorage: '20GB',
        policy: [
          { filter: ['unused-for=48h', 'type=source.local', 'type=exec.cachemount'], keepStorage: '512MB' },
          { all: true, maxUsedSpace: 5 },
        ],
      },
    })
    assert.equal(gc.reservedSpace, 20 * 2 ** 30)
    assert.deepEqual(gc.policy, [
      {
        all: false,
        filters: { type: ['source.local', 'exec.cachemount'] },
        keepDuration: 48 * 3_600_000,
        reservedSpace: 512 * 2 ** 20,
        maxUsedSpace: 0,
        minFreeSpace: 0,
      },
      { all: true, filters: {}, keepDuration: 0, reservedSpace: 0, maxUsedSpace: 5, minFreeSpace: 0 },
    ])
  })

  it('takes entitlements', () => {
    assert.equal(builderOptions({ entitlements: { 'security-insecure': true } }).entitlements.securityInsecure, true)
  })

  it('refuses what it does not know', () => {
    assert.throws(() => builderOptions({ gcc: {} }), /builder: unknown keys: gcc/)
    assert.throws(
      () => builderOptions({ gc: { defaultReservedSpace: 'much' } }),
      /failed to parse defaultReservedSpace: invalid size: 'much'/,
    )
    assert.throws(() => builderOptions({ gc: { policy: [{ filter: ['until=soon'] }] } }), /"until" filter expects a duration/)
  })
})
