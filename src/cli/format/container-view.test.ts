import assert from 'node:assert/strict'
import { it } from 'node:test'
import { portsText } from './container-view.ts'

it('portsText draws neighbouring ports together and mappings behind them', () => {
  const ports = [
    { IP: '0.0.0.0', PrivatePort: 81, PublicPort: 81, Type: 'tcp' },
    { IP: '0.0.0.0', PrivatePort: 80, PublicPort: 80, Type: 'tcp' },
    { IP: '::', PrivatePort: 80, PublicPort: 80, Type: 'tcp' },
    { IP: '0.0.0.0', PrivatePort: 90, PublicPort: 9000, Type: 'udp' },
    { PrivatePort: 53, Type: 'udp' },
    { PrivatePort: 55, Type: 'udp' },
  ]
  assert.equal(portsText(ports), '53/udp, 55/udp, 0.0.0.0:80-81->80-81/tcp, [::]:80->80/tcp, 0.0.0.0:9000->90/udp')
})

it('portsText of no ports is empty', () => {
  assert.equal(portsText([]), '')
  assert.equal(portsText(null), '')
})
