import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { type ResolvConfRequest, hostResolvConf, hostServers, resolvConf } from './resolv-conf.ts'

function lines(hostText: string, request: Partial<ResolvConfRequest> = {}): string[] {
  const text = resolvConf({ hostText, servers: [], search: [], options: [], sharesHostNetwork: false, ...request })
  return text.trimEnd().split('\n').slice(1)
}

suite('resolvConf', () => {
  test('takes over what a container can use of the host', () => {
    const host =
      '# by hand\nnameserver 192.0.2.53\nnameserver 192.0.2.54 \ndomain old.example\nsearch example.org  example.net\noptions ndots:2\noptions rotate\nsortlist 10.0.0.0\n'
    assert.deepEqual(lines(host), [
      'nameserver 192.0.2.53',
      'nameserver 192.0.2.54',
      'search example.org example.net',
      'options ndots:2 rotate',
      'sortlist 10.0.0.0',
    ])
  })

  test('leaves out loopback and IPv6 servers', () => {
    assert.deepEqual(lines('nameserver 127.0.0.1\nnameserver 2001:db8::1\nnameserver fe80::1%eth0\nnameserver 192.0.2.53'), [
      'nameserver 192.0.2.53',
    ])
  })

  test('keeps IPv6 servers where the network has IPv6', () => {
    assert.deepEqual(lines('nameserver ::1\nnameserver 2001:db8::1', { ipv6: true }), ['nameserver 2001:db8::1'])
  })

  test('names the own resolver alone, and asks names without a dot as they are', () => {
    const host = 'nameserver 192.0.2.53\nsearch example.org\noptions edns0 ndots:x'
    const own = { ownResolver: true, servers: ['192.0.2.1'] }
    assert.deepEqual(lines(host, own).slice(0, 3), ['nameserver 127.0.0.11', 'search example.org', 'options edns0 ndots:0'])
    assert.equal(lines(host, { ...own, options: ['ndots:3'] })[2], 'options ndots:3')
    assert.deepEqual(hostServers(host), ['192.0.2.53'])
  })

  test("says in Docker's words what the own resolver asks", () => {
    const comments = (hostText: string, request: Partial<ResolvConfRequest> = {}): string[] =>
      lines(hostText, { ownResolver: true, ...request }).filter((line) => line.startsWith('#'))
    assert.deepEqual(comments('nameserver 192.0.2.53\nnameserver ::1\noptions ndots:2', { hostPath: '/run/systemd/resolve/resolv.conf' }), [
      "# Based on host file: '/run/systemd/resolve/resolv.conf' (internal resolver)",
      '# ExtServers: [host(192.0.2.53) host(::1)]',
      '# Overrides: []',
      '# Option ndots from: host',
    ])
    assert.deepEqual(comments('', { servers: ['192.0.2.1', '2001:db8::1'], search: ['.'], options: ['ndots:1'] }).slice(1), [
      '# ExtServers: [192.0.2.1 2001:db8::1]',
      '# Overrides: [nameservers search options]',
      '# Option ndots from: override',
    ])
    assert.deepEqual(comments('options ndots:x').slice(1), [
      '# NO EXTERNAL NAMESERVERS DEFINED',
      '# Overrides: []',
      '# Option ndots from: internal',
    ])
  })

  test('falls back to public servers when none is left', () => {
    for (const host of ['', 'nameserver 127.0.0.53', 'nameserver ::1', 'nameserver nonsense', 'nameserver']) {
      assert.deepEqual(lines(host), ['nameserver 8.8.8.8', 'nameserver 8.8.4.4'], host)
    }
  })

  test('options of the container replace those of the host, one by one', () => {
    const host = 'nameserver 192.0.2.53\nsearch example.org\noptions ndots:2'
    assert.deepEqual(lines(host, { servers: ['127.0.0.1', '2001:db8::2'] }), [
      'nameserver 127.0.0.1',
      'nameserver 2001:db8::2',
      'search example.org',
      'options ndots:2',
    ])
    assert.deepEqual(lines(host, { search: ['.'], options: ['timeout:1'] }), ['nameserver 192.0.2.53', 'options timeout:1'])
  })

  test('drops nothing on the network of the host', () => {
    assert.deepEqual(lines('nameserver 127.0.0.53\nnameserver ::1', { sharesHostNetwork: true }), [
      'nameserver 127.0.0.53',
      'nameserver ::1',
    ])
    assert.deepEqual(lines('', { sharesHostNetwork: true }), [])
  })

  test('hostResolvConf looks behind the stub of systemd-resolved', () => {
    assert.equal(hostResolvConf('nameserver 127.0.0.53\noptions edns0'), '/run/systemd/resolve/resolv.conf')
    assert.equal(hostResolvConf('nameserver 127.0.0.53\nnameserver 192.0.2.53'), '/etc/resolv.conf')
    assert.equal(hostResolvConf(''), '/etc/resolv.conf')
  })
})
