import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isLoopback, parseListenAddress, showAddress } from './listen-address.ts'

describe('parseListenAddress', () => {
  const read: [string, boolean, object][] = [
    ['unix:///run/a.sock', false, { kind: 'unix', path: '/run/a.sock' }],
    ['tcp://127.0.0.1:1234', false, { kind: 'tcp', host: '127.0.0.1', port: 1234 }],
    ['tcp://', false, { kind: 'tcp', host: '', port: 2375 }],
    ['tcp://0.0.0.0', true, { kind: 'tcp', host: '0.0.0.0', port: 2376 }],
    ['tcp://[::1]:99', false, { kind: 'tcp', host: '::1', port: 99 }],
    ['tcp://:0', false, { kind: 'tcp', host: '', port: 0 }],
    ['localhost:5', false, { kind: 'tcp', host: 'localhost', port: 5 }],
  ]
  for (const [text, tls, address] of read) {
    it(`reads ${text}${tls ? ' with TLS' : ''}`, () => assert.deepEqual(parseListenAddress(text, tls), address))
  }

  it('refuses the rest', () => {
    for (const bad of ['unix://relative', 'http://a', 'tcp://a:99999', 'tcp://a:x'])
      assert.throws(() => parseListenAddress(bad, false), bad)
    assert.throws(() => parseListenAddress('fd://', false), { message: 'fd:// is not supported: listen on unix:// or tcp://' })
  })
})

describe('isLoopback', () => {
  it('knows what only this machine can reach', () => {
    for (const host of ['localhost', '127.0.0.1', '127.9.9.9', '::1']) assert.equal(isLoopback(host), true, host)
    for (const host of ['', '0.0.0.0', '10.0.0.1', '::', '127.example.com']) assert.equal(isLoopback(host), false, host)
  })
})

describe('showAddress', () => {
  it('names sockets as dockerd does', () => {
    assert.equal(showAddress({ kind: 'unix', path: '/a' }), '/a')
    assert.equal(showAddress({ kind: 'tcp', host: '', port: 5 }), '[::]:5')
    assert.equal(showAddress({ kind: 'tcp', host: '::1', port: 5 }), '[::1]:5')
  })
})
