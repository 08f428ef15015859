import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { type PortReservation, createFakeSysctls } from '#kernel'
import { type PortAllocator, createPortAllocator } from './port-allocator.ts'
import type { WantedPort } from './port-request.ts'
import type { PortBinding } from '../types.ts'

function allocatorWith(occupied: string[] = [], sysctls: Record<string, string> = {}): PortAllocator {
  return createPortAllocator({
    sysctls: createFakeSysctls({ 'net/ipv4/ip_local_port_range': '40000\t40003', ...sysctls }),
    probe: ({ protocol, port }: PortReservation) => !occupied.includes(`${protocol}/${port}`),
  })
}

function want(first: number, last: number = first, hostIp = '0.0.0.0', protocol: WantedPort['protocol'] = 'tcp'): WantedPort {
  return { containerPort: 80, protocol, hostIps: hostIp.split(' '), routed: [], first, last }
}

function portOf([binding]: PortBinding[]): number | undefined {
  return binding?.hostPort
}

suite('port allocator', () => {
  test('gives the port asked for, once', () => {
    const ports = allocatorWith()
    assert.deepEqual(ports.allocate(want(8080)), [{ containerPort: 80, protocol: 'tcp', hostIp: '0.0.0.0', hostPort: 8080 }])
    assert.throws(() => ports.allocate(want(8080)), {
      code: 'INTERNAL',
      message: 'Bind for 0.0.0.0:8080 failed: port is already allocated',
    })
    assert.equal(portOf(ports.allocate(want(8080, 8080, '0.0.0.0', 'udp'))), 8080)
  })

  test('all addresses clash with each of them, two addresses do not', () => {
    const ports = allocatorWith()
    ports.allocate(want(80, 80, '192.0.2.1'))
    assert.equal(portOf(ports.allocate(want(80, 80, '192.0.2.2'))), 80)
    assert.throws(() => ports.allocate(want(80)), /Bind for 0\.0\.0\.0:80 failed/)
    ports.allocate(want(81))
    assert.throws(() => ports.allocate(want(81, 81, '192.0.2.1')), /Bind for 192\.0\.2\.1:81 failed/)
  })

  test('addresses of both families get the same port, and clash in their own family only', () => {
    const ports = allocatorWith(['tcp/40000'])
    assert.deepEqual(
      ports.allocate(want(0, 0, '0.0.0.0 ::')).map(({ hostIp, hostPort }) => [hostIp, hostPort]),
      [
        ['0.0.0.0', 40001],
        ['::', 40001],
      ],
    )
    ports.allocate(want(80, 80, '::'))
    ports.allocate(want(80))
    assert.throws(() => ports.allocate(want(80, 80, '::1')), /Bind for \[::1\]:80 failed/)
  })

  test('a port without translation takes none of the host', () => {
    const [binding] = allocatorWith().allocate({ ...want(8080), hostIps: [], routed: [6], first: 0, last: 0 })
    assert.deepEqual([binding?.hostIp, binding?.hostPort], ['::', 0])
  })

  test('a released port can be had again', () => {
    const ports = allocatorWith()
    const [binding] = ports.allocate(want(8080))
    assert.ok(binding)
    ports.release(binding)
    ports.release(binding)
    assert.equal(portOf(ports.allocate(want(8080))), 8080)
  })

  test('a port of another program is refused when asked for, passed over when not', () => {
    const ports = allocatorWith(['tcp/8080', 'tcp/40000'])
    assert.throws(() => ports.allocate(want(8080)), { message: 'failed to bind host port 0.0.0.0:8080/tcp: address already in use' })
    assert.equal(portOf(ports.allocate(want(8080, 8082))), 8081)
    assert.equal(portOf(ports.allocate(want(0))), 40001)
  })

  test('any port goes round the range of the system, and lets a freed one rest', () => {
    const ports = allocatorWith([], { 'net/ipv4/ip_local_reserved_ports': '40001,50000-50010' })
    const [first] = ports.allocate(want(0))
    assert.ok(first)
    ports.release(first)
    assert.deepEqual(
      [first.hostPort, portOf(ports.allocate(want(0))), portOf(ports.allocate(want(0))), portOf(ports.allocate(want(0)))],
      [40000, 40002, 40003, 40000],
    )
    assert.throws(() => ports.allocate(want(0)), { message: 'all ports are allocated' })
  })

  test('an address the host has not is told as bind tells it', () => {
    const ports = createPortAllocator({
      sysctls: createFakeSysctls(),
      probe() {
        throw Object.assign(new Error('bind'), { code: 'EADDRNOTAVAIL' })
      },
    })
    assert.throws(() => ports.allocate(want(80, 80, '203.0.113.1')), {
      message: 'failed to bind host port 203.0.113.1:80/tcp: cannot assign requested address',
    })
  })

  test('adopted ports are taken without asking the kernel', () => {
    const ports = allocatorWith(['tcp/8080'])
    ports.adopt({ containerPort: 80, protocol: 'tcp', hostIp: '127.0.0.1', hostPort: 8080 })
    assert.throws(() => ports.allocate(want(8080, 8080, '127.0.0.1')), /already allocated/)
  })
})
