import assert from 'node:assert/strict'
import { readlinkSync } from 'node:fs'
import { suite, test } from 'node:test'
import { createFakeSystemCalls } from './fake/fake-system-calls.ts'
import { inNetworkNamespace } from './namespaces.ts'

const OWN = '/proc/thread-self/ns/net'

suite('network namespaces', () => {
  test('inNetworkNamespace enters, runs and comes back, also when the action throws', () => {
    const system = createFakeSystemCalls()
    assert.equal(
      inNetworkNamespace(OWN, () => 7, system),
      7,
    )
    assert.throws(() => inNetworkNamespace(OWN, () => assert.fail('inside'), system), /inside/)
    assert.deepEqual(
      system.calls.map((call) => call.name),
      ['setns', 'setns', 'setns', 'setns'],
    )
  })

  test('inNetworkNamespace does not run the action when it cannot enter', () => {
    const system = createFakeSystemCalls(() => -1)
    assert.throws(() => inNetworkNamespace(OWN, () => assert.fail('ran'), system), { code: 'EPERM' })
    assert.throws(() => inNetworkNamespace('/nonexistent', () => assert.fail('ran'), system), { code: 'ENOENT' })
  })

  test('inNetworkNamespace leaves the thread where it was', (t) => {
    if (process.getuid?.() !== 0) return t.skip('needs root')
    const before = readlinkSync(OWN)
    inNetworkNamespace(OWN, () => {})
    assert.equal(readlinkSync(OWN), before)
  })
})
