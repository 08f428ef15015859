import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { connect } from './connect.ts'
import { encodeMessage, MessageChannel, VersionMismatch, type Message } from './message-channel.ts'

/** A connected pair: our channel and the other side's bare socket. */
async function pair(use: (channel: MessageChannel, peer: Socket, received: Message[]) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'gantry-channel-'))
  const server: Server = createServer({ allowHalfOpen: true })
  server.listen(join(directory, 'socket'))
  await once(server, 'listening')
  const accepted = once(server, 'connection') as Promise<[Socket]>
  const received: Message[] = []
  const channel = new MessageChannel(await connect(join(directory, 'socket')), (message) => received.push(message))
  const [peer] = await accepted
  try {
    await use(channel, peer, received)
  } finally {
    channel.destroy()
    peer.destroy()
    server.close()
    rmSync(directory, { recursive: true })
  }
}

test('encodeMessage writes length, type, version and fields', () => {
  assert.equal(encodeMessage('kill', { signal: 9 }).toString('hex'), '040000000400030009000000')
  assert.equal(encodeMessage('launch', {}, Buffer.from('plan')).toString('hex'), '0400000002000300706c616e')
})

test('MessageChannel delivers messages however they are cut', async () => {
  await pair(async (channel, peer, received) => {
    const bytes = Buffer.concat([
      encodeMessage('created', { pid: 7, warnings: 1 }),
      encodeMessage('exited', { finishedAt: 5n, exitCode: 1, signal: 2, oomKilled: 0, reserved: 0 }),
      encodeMessage('attached', {}),
    ])
    for (const byte of bytes) {
      peer.write(Buffer.of(byte))
      await new Promise(setImmediate)
    }
    peer.end()
    assert.equal(await channel.closed, undefined)
    assert.deepEqual(received, [
      { name: 'created', fields: { pid: 7, warnings: 1 } },
      { name: 'exited', fields: { finishedAt: 5n, exitCode: 1, signal: 2, oomKilled: 0, reserved: 0 } },
      { name: 'attached', fields: {} },
    ])
  })
})

test('MessageChannel ends with VersionMismatch when the peer speaks another version', async () => {
  await pair(async (channel, peer) => {
    const frame = encodeMessage('hello', { pid: 1 })
    frame.writeUInt16LE(99, 6)
    peer.write(frame)
    const reason = await channel.closed
    assert.ok(reason instanceof VersionMismatch)
    assert.equal(reason.version, 99)
  })
})

test('MessageChannel ends at a message that is none', async () => {
  const unknown = encodeMessage('hello', { pid: 1 })
  unknown.writeUInt16LE(999, 4)
  const endless = encodeMessage('hello', { pid: 1 })
  endless.writeUInt32LE(0x7fffffff, 0)
  for (const frame of [unknown, endless]) {
    await pair(async (channel, peer) => {
      peer.write(frame)
      assert.match(String(await channel.closed), /malformed message/)
    })
  }
})
