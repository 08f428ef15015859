import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseExpose, parsePublish } from './ports.ts'

describe('parsePublish', () => {
  const one = (spec: string): Record<string, unknown> => parsePublish([spec]).bindings
  it('reads every form', () => {
    assert.deepEqual(one('80'), { '80/tcp': [{ HostIp: '', HostPort: '' }] })
    assert.deepEqual(one('8080:80/udp'), { '80/udp': [{ HostIp: '', HostPort: '8080' }] })
    assert.deepEqual(one('127.0.0.1:8080:80'), { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '8080' }] })
    assert.deepEqual(one('127.0.0.1::80'), { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '' }] })
    assert.deepEqual(one('[::1]:8080:80'), { '80/tcp': [{ HostIp: '::1', HostPort: '8080' }] })
    assert.deepEqual(one('published=8080,target=80,protocol=udp'), { '80/udp': [{ HostIp: '', HostPort: '8080' }] })
  })

  it('pairs ranges, and leaves the choice from a range for one port', () => {
    assert.deepEqual(one('8000-8001:80-81'), { '80/tcp': [{ HostIp: '', HostPort: '8000' }], '81/tcp': [{ HostIp: '', HostPort: '8001' }] })
    assert.deepEqual(one('8000-8010:80'), { '80/tcp': [{ HostIp: '', HostPort: '8000-8010' }] })
  })

  it('refuses what is no port', () => {
    const failures: [string, string][] = [
      ['abc', 'invalid containerPort: abc'],
      ['70000', 'invalid containerPort: 70000'],
      ['x:80', 'invalid hostPort: x'],
      ['80-82:90-91', 'invalid ranges specified for container and host Ports: 90-91 and 80-82'],
      ['80/foo', 'invalid proto: foo'],
      ['1.2.3:80:80', 'invalid IP address: 1.2.3'],
      ['8080:', 'no port specified: 8080:<empty>'],
    ]
    for (const [spec, message] of failures) assert.throws(() => one(spec), { message }, spec)
  })
})

it('parseExpose reads ranges and protocols', () => {
  assert.deepEqual(parseExpose(['80', '90-91/udp']), ['80/tcp', '90/udp', '91/udp'])
  assert.throws(() => parseExpose(['80:90']), { message: 'invalid port format for --expose: 80:90' })
})
