import assert from 'node:assert/strict'
import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { suite, test } from 'node:test'
import { type Answer, serveQuestions } from './serve-questions.ts'

interface Serving extends Disposable {
  udp: UdpSocket
}

async function serve(answer: Answer): Promise<Serving> {
  const udp = createSocket('udp4').bind(0, '127.0.0.1')
  await once(udp, 'listening')
  const tcp = createServer().listen(0, '127.0.0.1')
  await once(tcp, 'listening')
  return { udp, [Symbol.dispose]: serveQuestions({ udp, tcp }, answer) }
}

/** As if a datagram had come from that port. */
function receive(udp: UdpSocket, port: number): void {
  udp.emit('message', Buffer.from('question'), { address: '127.0.0.1', family: 'IPv4', port, size: 8 })
}

suite('serve questions', () => {
  test('does not answer datagrams that come from port 0', async () => {
    let asked = 0
    using serving = await serve(async (bytes) => {
      asked++
      return bytes
    })
    receive(serving.udp, 0)
    assert.equal(asked, 0)
  })

  test('goes on when an answer cannot be sent', async (context) => {
    using serving = await serve(async (bytes) => bytes)
    const send = context.mock.method(serving.udp, 'send', () => {
      throw new Error('no')
    })
    receive(serving.udp, 1) // an unhandled rejection would fail the test
    await new Promise(setImmediate)
    assert.equal(send.mock.callCount(), 1)
  })

  test('sends nothing while too much waits to be sent', async (context) => {
    using serving = await serve(async (bytes) => bytes)
    const send = context.mock.method(serving.udp, 'send', () => {})
    receive(serving.udp, 1)
    context.mock.method(serving.udp, 'getSendQueueSize', () => 1024 * 1024)
    receive(serving.udp, 1)
    await new Promise(setImmediate)
    assert.equal(send.mock.callCount(), 0)
  })
})
