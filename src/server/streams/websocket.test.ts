import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import { test } from 'node:test'
import { encodeFrame } from '#api'
import { fakeIo } from '../testing/fake-services.ts'
import { readAll, startServer, type TestServer } from '../testing/harness.ts'

const echo = async (client: Duplex): Promise<void> => {
  client.pipe(client, { end: false })
  await once(client, 'end')
}

/** Node's own WebSocket client wants TCP. */
const handshake = (path: string): string =>
  `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
  'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n'

function masked(opcode: number, payload: Buffer | string, final = true): Buffer {
  const bytes = Buffer.from(payload)
  const mask = Buffer.from([1, 2, 3, 4])
  const length = bytes.length < 126 ? Buffer.from([0x80 | bytes.length]) : Buffer.from([0x80 | 126, bytes.length >> 8, bytes.length & 255])
  return Buffer.concat([
    Buffer.from([(final ? 0x80 : 0) | opcode]),
    length,
    mask,
    bytes.map((byte, index) => byte ^ (mask[index & 3] ?? 0)),
  ])
}

/** Sends the frames, closes once `letters` of the alphabet have come back, and gives all frames of the other side. */
async function converse(server: TestServer, path: string, frames: Buffer[], letters = '', piece = 1e6): Promise<Buffer> {
  const client = server.connect()
  let seen = ''
  client.on('data', (chunk: Buffer) => {
    seen += chunk.toString('latin1')
    const answer = seen.slice(seen.indexOf('\r\n\r\n') + 4)
    if (letters === '' || answer.replaceAll(/[^a-z]/g, '') !== letters) return
    letters = ''
    client.write(CLOSE)
  })
  const whole = readAll(client)
  client.write(handshake(path))
  const bytes = Buffer.concat(frames)
  for (let offset = 0; offset < bytes.length; offset += piece) client.write(bytes.subarray(offset, offset + piece))
  const answer = await whole
  const end = answer.indexOf('\r\n\r\n') + 4
  assert.match(answer, /^HTTP\/1\.1 101 /)
  // The example of RFC 6455, section 1.3.
  assert.match(answer.slice(0, end), /\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=\r\n/)
  return Buffer.from(answer.slice(end), 'latin1')
}

const CLOSE = masked(8, Buffer.from([3, 232]))
const CLOSED = Buffer.from([0x88, 2, 3, 232])

test('attach/ws echoes binary frames, wherever they are cut', async () => {
  await using server = await startServer({ containers: { attach: async () => fakeIo(true, echo) } })
  const long = 'x'.repeat(300)
  for (const piece of [1e6, 1, 3]) {
    const answer = await converse(server, '/containers/web/attach/ws?stream=1', [masked(2, long)], long, piece)
    let echoed = ''
    let rest = answer
    while (rest[0] === 0x82) {
      const short = rest[1] ?? 0
      const [start, length] = short === 126 ? [4, rest.readUInt16BE(2)] : [2, short]
      echoed += rest.subarray(start, start + length).toString()
      rest = rest.subarray(start + length)
    }
    assert.equal(echoed, long)
    assert.deepEqual(rest, CLOSED)
  }
})

test('attach/ws takes the frame headers of the engine off, and text frames before 1.28', async () => {
  const say = fakeIo(
    false,
    async (client) => void client.write(Buffer.concat([encodeFrame('stdout', 'out'), encodeFrame('stderr', 'err')])),
  )
  await using server = await startServer({ containers: { attach: async () => say } })
  const recent = await converse(server, '/containers/web/attach/ws', [])
  assert.deepEqual(recent, Buffer.concat([Buffer.from([0x82, 3]), Buffer.from('out'), Buffer.from([0x82, 3]), Buffer.from('err'), CLOSED]))
  const old = await converse(server, '/v1.27/containers/web/attach/ws', [])
  assert.equal(old[0], 0x81)
})

test('attach/ws answers pings, joins fragments and ends at a broken frame', async () => {
  await using server = await startServer({ containers: { attach: async () => fakeIo(true, echo) } })
  const path = '/containers/web/attach/ws'
  const pong = await converse(server, path, [masked(9, 'hi')], 'hi')
  assert.deepEqual(pong.subarray(0, 4), Buffer.from([0x8a, 2, 0x68, 0x69]))
  const joined = await converse(server, path, [masked(2, 'a', false), masked(9, ''), masked(0, 'b')], 'ab')
  assert.equal(joined.toString('latin1').replaceAll(/[^ab]/g, ''), 'ab')
  const broken = await converse(server, path, [Buffer.from([0x82, 1, 65])])
  assert.deepEqual(broken, Buffer.from([0x88, 2, 3, 234]))
})

test('attach/ws without handshake is refused', async () => {
  await using server = await startServer({ containers: { attach: async () => fakeIo(true, echo) } })
  const answer = await server.request('GET', '/containers/web/attach/ws')
  assert.deepEqual([answer.status, answer.json()], [400, { message: 'not a WebSocket handshake' }])
})

test('attach/ws passes the choice of streams on since 1.42', async () => {
  const asked: boolean[][] = []
  await using server = await startServer({
    containers: {
      attach: async (_ref, { stdin, stdout, stderr }) => {
        asked.push([stdin, stdout, stderr])
        return fakeIo(true, async () => {})
      },
    },
  })
  await converse(server, '/v1.41/containers/web/attach/ws', [])
  await converse(server, '/v1.42/containers/web/attach/ws?stdout=1', [])
  assert.deepEqual(asked, [
    [true, true, true],
    [false, true, false],
  ])
})
