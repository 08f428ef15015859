import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseExposedPorts } from './exposed-ports.ts'

describe('parseExposedPorts', () => {
  it('reads ports, ranges and protocols', () => {
    assert.deepEqual(parseExposedPorts('80'), { ports: ['80/tcp'], hasHostPart: false, hasUpperCaseProtocol: false })
    assert.deepEqual(parseExposedPorts('80-82/UDP'), {
      ports: ['80/udp', '81/udp', '82/udp'],
      hasHostPart: false,
      hasUpperCaseProtocol: true,
    })
    assert.deepEqual(parseExposedPorts('8080:80/sctp'), { ports: ['80/sctp'], hasHostPart: true, hasUpperCaseProtocol: false })
    assert.deepEqual(parseExposedPorts('[::1]:1000-1010:80').ports, ['80/tcp'])
  })
  const ERRORS: readonly (readonly [word: string, message: string])[] = [
    ['', 'invalid port: "": no port specified'],
    ['/tcp', 'invalid port: "/tcp": no port specified'],
    ['80/http', 'invalid port: "80/http": invalid proto: http'],
    ['x', 'invalid containerPort: x'],
    ['65536', 'invalid containerPort: 65536'],
    ['82-80', 'invalid containerPort: 82-80'],
    ['y:80', 'invalid hostPort: y'],
    ['host:80:80', 'invalid IP address: host'],
    ['1-2:80-82', 'invalid ranges specified for container and host Ports: 80-82 and 1-2'],
  ]
  for (const [word, message] of ERRORS) it(`refuses ${word}`, () => assert.throws(() => parseExposedPorts(word), { message }))
})
