import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { PortRequest } from '../types.ts'
import { type PublishSides, isUnreachable, wantedPorts } from './port-request.ts'

const request = (hostPort: string, hostIp = ''): PortRequest => ({ containerPort: 80, protocol: 'tcp', hostIp, hostPort })

const IPV4: PublishSides = { 4: { defaultIp: '0.0.0.0', routed: false } }
const BOTH: PublishSides = { ...IPV4, 6: { defaultIp: '0.0.0.0', routed: false } }

/** Host addresses of one request. */
function addresses(hostIp: string, sides: PublishSides): string[] {
  return wantedPorts([request('1', hostIp)], sides).flatMap(({ hostIps }) => hostIps)
}

suite('port requests', () => {
  test('wantedPorts understands any, one and a range', () => {
    const range = (text: string): number[] => wantedPorts([request(text)], IPV4).flatMap(({ first, last }) => [first, last])
    assert.deepEqual(['', '0', '8080', '8000-8010', '8000-8000', '65535'].map(range), [
      [0, 0],
      [0, 0],
      [8080, 8080],
      [8000, 8010],
      [8000, 8000],
      [65535, 65535],
    ])
  })

  test('wantedPorts publishes on all addresses of the families there are when none is given', () => {
    assert.deepEqual(addresses('', IPV4), ['0.0.0.0'])
    assert.deepEqual(addresses('', BOTH), ['0.0.0.0', '::'])
    assert.deepEqual(addresses('', {}), [])
    const lan = { defaultIp: '192.0.2.1', routed: false }
    assert.deepEqual(addresses('', { 4: lan, 6: lan }), ['192.0.2.1'])
  })

  test('wantedPorts keeps to the address that is given', () => {
    assert.deepEqual(addresses('127.0.0.1', BOTH), ['127.0.0.1'])
    assert.deepEqual(addresses('0:0:0:0:0:0:0:1', BOTH), ['::1'])
    assert.deepEqual(addresses('::1', IPV4), [])
    assert.ok(isUnreachable(request('1', '::1'), IPV4))
    assert.ok(!isUnreachable(request('1', '::1'), BOTH))
    assert.ok(!isUnreachable(request('1'), {}))
  })

  test('wantedPorts opens instead of translating on a routed network', () => {
    const [wanted] = wantedPorts([request('8080')], { ...IPV4, 6: { defaultIp: '0.0.0.0', routed: true } })
    assert.deepEqual([wanted?.hostIps, wanted?.routed], [['0.0.0.0'], [6]])
  })

  test('wantedPorts makes one of requests that differ in the address only', () => {
    const [wanted, ...more] = wantedPorts([request('', '127.0.0.1'), request('', '::1')], BOTH)
    assert.deepEqual([wanted?.hostIps, more], [['127.0.0.1', '::1'], []])
    assert.equal(wantedPorts([request(''), request('')], BOTH).length, 2)
  })

  test('wantedPorts refuses what is no port and no address', () => {
    for (const text of ['x', '-1', '65536', '8010-8000', '0-5', '1-2-3', '1-70000', ' 80']) {
      assert.throws(() => wantedPorts([request(text)], IPV4), { code: 'INVALID_ARGUMENT', message: `invalid host port: ${text}` })
    }
    assert.throws(() => wantedPorts([request('1', 'localhost')], IPV4), {
      code: 'INVALID_ARGUMENT',
      message: 'invalid IP address: localhost',
    })
  })

  test('wantedPorts puts exact ports before ranges and any', () => {
    const wanted = wantedPorts(
      ['', '8000-8010', '8080'].map((hostPort) => request(hostPort)),
      IPV4,
    )
    assert.deepEqual(
      wanted.map(({ first, last }) => [first, last]),
      [
        [8080, 8080],
        [0, 0],
        [8000, 8010],
      ],
    )
  })
})
