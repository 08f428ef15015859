/** Connections of BuildKit's clients that speak nonsense: the daemon goes on, and forgets them. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readdirSync, readlinkSync } from 'node:fs'
import { connect } from 'node:net'
import { test } from 'node:test'
import { Engine, eventually } from '../harness/index.ts'

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')

/** Bytes that look like chance and are the same each time. */
function* chance(): Generator<number> {
  for (let state = 12_345; ;) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    yield (state >>> 16) & 0xff
  }
}

const bytes = chance()
const noise = (length: number): Buffer => Buffer.from(Array.from({ length }, () => bytes.next().value ?? 0))

function frame(type: number, flags: number, stream: number, body: Buffer): Buffer {
  const head = Buffer.alloc(9)
  head.writeUIntBE(body.length, 0, 3)
  head[3] = type
  head[4] = flags
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, body])
}

const settings = frame(4, 0, 0, Buffer.alloc(0))
const upgrade = (path: string, id: string): string =>
  `POST ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nX-Docker-Expose-Session-Uuid: ${id}\r\n\r\n`

const NONSENSE: ((id: string) => Buffer)[] = [
  () => Buffer.concat([PREFACE, noise(200)]),
  () =>
    Buffer.concat([
      PREFACE,
      settings,
      ...Array.from({ length: 20 }, (_, index) => frame(index % 12, noise(1)[0] ?? 0, 2 * index + 1, noise(30))),
    ]),
  () => PREFACE.subarray(0, 10),
  (id) => Buffer.concat([Buffer.from(upgrade('/grpc', id)), noise(100)]),
  (id) => Buffer.concat([Buffer.from(upgrade('/session', id)), noise(300)]),
  (id) => Buffer.concat([Buffer.from(upgrade('/session', id)), settings, frame(7, 0, 0, noise(8))]),
]

test('nonsense on connections with HTTP/2 leaves the daemon as it was', async () => {
  await using engine = await Engine.start()
  const daemon = engine.host.processes().find(({ command }) => command.includes('gantry.cjs'))
  assert.ok(daemon)
  const sockets = (): number =>
    readdirSync(`/proc/${daemon.pid}/fd`).filter((fd) => {
      try {
        return readlinkSync(`/proc/${daemon.pid}/fd/${fd}`).startsWith('socket')
      } catch {
        return false
      }
    }).length
  const before = sockets()
  for (let round = 0; round < 120; round++) {
    const socket = connect(engine.socket)
    socket.on('error', () => {}).resume()
    await once(socket, 'connect')
    socket.write(NONSENSE[round % NONSENSE.length]?.(`session-${round}`) ?? '')
    if (round % 2 === 0) socket.end()
    else setTimeout(() => socket.destroy(), 20)
  }
  await eventually(() => assert.ok(sockets() <= before, 'connections are left open'))
  assert.equal((await engine.request('GET', '/_ping')).status, 200)
  assert.doesNotMatch(engine.log, /level=error/)
})
