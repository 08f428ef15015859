import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseEndpoint } from './endpoint.ts'

describe('parseEndpoint', () => {
  it('reads unix sockets', () => {
    assert.deepEqual(parseEndpoint('unix:///run/x y.sock'), { scheme: 'unix', text: 'unix:///run/x y.sock', path: '/run/x y.sock' })
  })

  it('reads tcp with the default port, a base path and IPv6', () => {
    assert.partialDeepStrictEqual(parseEndpoint('tcp://host'), { host: 'host', port: 2375, basePath: '' })
    assert.partialDeepStrictEqual(parseEndpoint('tcp://[::1]:80/base/'), { host: '::1', port: 80, basePath: '/base' })
    assert.partialDeepStrictEqual(parseEndpoint('http://host'), { port: 80 })
    assert.partialDeepStrictEqual(parseEndpoint('https://host'), { port: 443, tls: { verify: true } })
  })

  it('takes the TLS port when there are certificates', () => {
    assert.partialDeepStrictEqual(parseEndpoint('tcp://host', { verify: true, ca: 'pem' }), { port: 2376, tls: { ca: 'pem' } })
  })

  it('makes arguments for ssh', () => {
    const endpoint = parseEndpoint('ssh://me@host:2222/run/x.sock')
    assert.deepEqual(endpoint.scheme === 'ssh' && endpoint.args.slice(-6), ['-l', 'me', '-p', '2222', '--', 'host'])
    assert.equal(endpoint.scheme === 'ssh' && endpoint.socketPath, '/run/x.sock')
  })

  it('refuses ssh hosts that would be options, and passwords in URLs', () => {
    for (const text of ['ssh://-oProxyCommand=x', 'ssh://-l@host', 'ssh://me:secret@host', 'ssh://host?x=1']) {
      assert.throws(() => parseEndpoint(text), SyntaxError, text)
    }
  })

  it('refuses what is no address', () => {
    for (const text of ['', 'foo', 'unix://', 'ftp://host', 'tcp://'])
      assert.throws(() => parseEndpoint(text), /unable to parse docker host/, text)
  })
})
