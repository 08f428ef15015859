import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { createHostServers } from './host-servers.ts'

suite('host servers', () => {
  test('are those behind the stub of systemd-resolved', () => {
    const files: Record<string, string> = {
      '/etc/resolv.conf': 'nameserver 127.0.0.53\n',
      '/run/systemd/resolve/resolv.conf': 'nameserver 192.0.2.53\nnameserver fe80::1%eth0\n',
    }
    assert.deepEqual(createHostServers((path) => files[path] ?? '')(), ['192.0.2.53', 'fe80::1%eth0'])
  })

  test('follow the file within seconds', () => {
    let now = 0
    let text = 'nameserver 192.0.2.1'
    const servers = createHostServers(
      () => text,
      () => now,
    )
    assert.deepEqual(servers(), ['192.0.2.1'])
    text = 'nameserver 192.0.2.2'
    assert.deepEqual(servers(), ['192.0.2.1'])
    now = 5000
    assert.deepEqual(servers(), ['192.0.2.2'])
  })
})
