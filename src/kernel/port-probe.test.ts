import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { suite, test } from 'node:test'
import { createFakeSystemCalls } from './fake/fake-system-calls.ts'
import { createPortProbe } from './port-probe.ts'

const LOOPBACK = Buffer.of(127, 0, 0, 1)
const ANY = Buffer.alloc(4)

async function listening(): Promise<AsyncDisposable & { port: number }> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const address = server.address()
  assert.ok(address !== null && typeof address === 'object')
  return { port: address.port, [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())) }
}

suite('port probe', () => {
  test('is false while somebody listens, on that address and on all', async () => {
    const probe = createPortProbe()
    await using server = await listening()
    assert.equal(probe({ family: 4, protocol: 'tcp', address: '127.0.0.1', port: server.port }, LOOPBACK), false)
    assert.equal(probe({ family: 4, protocol: 'tcp', address: '0.0.0.0', port: server.port }, ANY), false)
    assert.equal(probe({ family: 4, protocol: 'udp', address: '127.0.0.1', port: server.port }, LOOPBACK), true)
  })

  test('holds nothing afterwards', async () => {
    const probe = createPortProbe()
    const { port } = await listening().then(async (server) => {
      await server[Symbol.asyncDispose]()
      return server
    })
    for (const protocol of ['tcp', 'udp'] as const) {
      assert.equal(probe({ family: 4, protocol, address: '127.0.0.1', port }, LOOPBACK), true)
      assert.equal(probe({ family: 4, protocol, address: '127.0.0.1', port }, LOOPBACK), true)
    }
  })

  test('throws for an address the host has not', () => {
    const probe = createPortProbe()
    assert.throws(() => probe({ family: 4, protocol: 'tcp', address: '203.0.113.1', port: 1 }, Buffer.of(203, 0, 113, 1)), {
      code: 'EADDRNOTAVAIL',
      message: 'bind 203.0.113.1:1: address not available',
    })
  })

  test('is true for SCTP on a kernel without it', () => {
    const probe = createPortProbe(createFakeSystemCalls(() => -93))
    assert.equal(probe({ family: 4, protocol: 'sctp', address: '0.0.0.0', port: 1 }, ANY), true)
  })
})
