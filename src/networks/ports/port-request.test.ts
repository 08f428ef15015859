import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { byExactness, parsePortRequest } from './port-request.ts'
import type { PortRequest } from '../types.ts'

const request = (hostPort: string, hostIp = ''): PortRequest => ({ containerPort: 80, protocol: 'tcp', hostIp, hostPort })

suite('port requests', () => {
  test('parsePortRequest understands any, one and a range', () => {
    const range = ({ hostPort }: PortRequest): number[] => {
      const { first, last } = parsePortRequest(request(hostPort), '0.0.0.0')
      return [first, last]
    }
    assert.deepEqual(
      ['', '0', '8080', '8000-8010', '8000-8000', '65535'].map((text) => range(request(text))),
      [
        [0, 0],
        [0, 0],
        [8080, 8080],
        [8000, 8010],
        [8000, 8000],
        [65535, 65535],
      ],
    )
  })

  test('parsePortRequest uses the default address when none is given', () => {
    assert.equal(parsePortRequest(request('1'), '192.0.2.1').hostIp, '192.0.2.1')
    assert.equal(parsePortRequest(request('1', '127.0.0.1'), '192.0.2.1').hostIp, '127.0.0.1')
  })

  test('parsePortRequest refuses what is no port', () => {
    for (const text of ['x', '-1', '65536', '8010-8000', '0-5', '1-2-3', '1-70000', ' 80']) {
      assert.throws(() => parsePortRequest(request(text), '0.0.0.0'), { code: 'INVALID_ARGUMENT', message: `invalid host port: ${text}` })
    }
  })

  test('parsePortRequest refuses addresses that are none, and IPv6 by name', () => {
    assert.throws(() => parsePortRequest(request('1', 'localhost'), '0.0.0.0'), {
      code: 'INVALID_ARGUMENT',
      message: 'invalid IP address: localhost',
    })
    assert.throws(() => parsePortRequest(request('1', '::1'), '0.0.0.0'), { code: 'NOT_IMPLEMENTED', message: /IPv6 address ::1/ })
  })

  test('byExactness puts exact ports before ranges and any', () => {
    const wanted = ['', '8000-8010', '8080'].map((hostPort) => parsePortRequest(request(hostPort), '0.0.0.0'))
    assert.deepEqual(
      wanted.toSorted(byExactness).map(({ first, last }) => [first, last]),
      [
        [8080, 8080],
        [0, 0],
        [8000, 8010],
      ],
    )
  })
})
