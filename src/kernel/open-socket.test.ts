import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { closeSync } from 'node:fs'
import { suite, test } from 'node:test'
import { openSocket } from './open-socket.ts'

const LOOPBACK = Buffer.of(127, 0, 0, 1)

suite('openSocket', () => {
  test('makes sockets that node takes over', () => {
    const socket = createSocket('udp4').bind({ fd: openSocket({ protocol: 'udp', family: 4, local: { address: LOOPBACK, port: 0 } }) })
    const { address, port } = socket.address()
    assert.equal(address, '127.0.0.1')
    assert.ok(port > 0)
    socket.close()
  })

  test('throws EADDRINUSE for a port that is taken', async () => {
    const socket = createSocket('udp4').bind(0, '127.0.0.1')
    await once(socket, 'listening')
    const { port } = socket.address()
    assert.throws(() => openSocket({ protocol: 'udp', family: 4, local: { address: LOOPBACK, port } }), { code: 'EADDRINUSE' })
    socket.close()
  })

  test('binds nothing unless asked', () => {
    closeSync(openSocket({ protocol: 'tcp', family: 6 }))
  })
})
