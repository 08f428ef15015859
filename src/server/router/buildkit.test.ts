import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect as connectHttp2, createServer } from 'node:http2'
import type { Duplex } from 'node:stream'
import { test } from 'node:test'
import { conflict } from '#errors'
import type { BuildkitBackend } from '../backend.ts'
import { readAll, startServer, type TestServer } from '../testing/harness.ts'

const upgrade = (path: string, headers: string[] = ['Connection: Upgrade', 'Upgrade: h2c']): string =>
  [`POST ${path} HTTP/1.1`, 'Host: x', ...headers, '', ''].join('\r\n')

/** Answers every request over HTTP/2 with its path. */
function http2Backend(): BuildkitBackend {
  const server = createServer((request, response) => response.end(`seen ${request.url}`))
  const serve = async (accept: () => Duplex): Promise<void> => {
    const socket = accept()
    server.emit('connection', socket)
    await once(socket, 'close')
  }
  return { serve, openSession: serve }
}

async function http2Request(socket: Duplex, path: string): Promise<string> {
  const session = connectHttp2('http://localhost', { createConnection: () => socket })
  const stream = session.request({ ':path': path, ':method': 'POST' })
  stream.end()
  let text = ''
  for await (const chunk of stream) text += String(chunk)
  session.close()
  return text
}

/** Sends a request to upgrade and gives the connection behind the answer's head. */
async function upgraded(server: TestServer, request: string): Promise<Duplex> {
  const socket = server.connect()
  socket.write(request)
  const [head] = (await once(socket, 'data')) as [Buffer]
  assert.match(head.toString('latin1'), /^HTTP\/1\.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n/)
  const end = head.indexOf('\r\n\r\n') + 4
  socket.pause()
  if (end < head.length) socket.unshift(head.subarray(end))
  return socket
}

for (const path of ['/grpc', '/v1.44/grpc']) {
  test(`POST ${path} becomes a connection with HTTP/2`, async () => {
    await using server = await startServer({ buildkit: http2Backend() })
    assert.equal(
      await http2Request(await upgraded(server, upgrade(path)), '/moby.buildkit.v1.Control/Info'),
      'seen /moby.buildkit.v1.Control/Info',
    )
  })
}

test('POST /grpc hands over what the client sent along with the request', async () => {
  await using server = await startServer({
    buildkit: {
      async serve(accept) {
        const socket = accept()
        const [chunk] = (await once(socket, 'data')) as [Buffer]
        socket.end(`got ${chunk.toString()}`)
      },
    },
  })
  const socket = server.connect()
  socket.write(`${upgrade('/grpc')}PRI`)
  assert.match(await readAll(socket), /\r\n\r\ngot PRI$/)
})

test('a connection that begins with HTTP/2 is served, also when the preface comes in pieces', async () => {
  await using server = await startServer({ buildkit: http2Backend() })
  assert.equal(await http2Request(server.connect(), '/whole'), 'seen /whole')

  const socket = server.connect()
  socket.write('PRI * HT')
  await new Promise((resolve) => setTimeout(resolve, 20))
  socket.write('TP/2.0\r\n\r\nSM\r\n\r\n')
  // Settings of our own, empty; the server's come back.
  socket.write(Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]))
  const [answer] = (await once(socket, 'data')) as [Buffer]
  assert.equal(answer[3], 4)
})

test('POST /session tells the id of the session, and refuses one in use before the connection changes', async () => {
  const seen: unknown[] = []
  await using server = await startServer({
    buildkit: {
      async openSession(accept, hello) {
        seen.push(hello)
        if (hello.id === 'taken') throw conflict('session taken already exists')
        accept().end('ok')
      },
    },
  })
  const headers = (id: string): string[] => [
    'Connection: Upgrade',
    'Upgrade: h2c',
    `X-Docker-Expose-Session-Uuid: ${id}`,
    'X-Docker-Expose-Session-Sharedkey: key',
  ]
  const first = server.connect()
  first.write(upgrade('/session', headers('s1')))
  assert.match(await readAll(first), /^HTTP\/1\.1 101 [^]*\r\n\r\nok$/)
  const second = server.connect()
  second.write(upgrade('/session', headers('taken')))
  assert.match(await readAll(second), /^HTTP\/1\.1 409 [^]*session taken already exists/)
  assert.deepEqual(seen, [
    { id: 's1', sharedKey: 'key' },
    { id: 'taken', sharedKey: 'key' },
  ])
})

test('POST /grpc without h2c is refused', async () => {
  await using server = await startServer()
  const socket = server.connect()
  socket.write(upgrade('/grpc', ['Connection: Upgrade', 'Upgrade: websocket']))
  assert.match(await readAll(socket), /^HTTP\/1\.1 400 [^]*protocol websocket not supported/)
  assert.match((await server.request('POST', '/session')).text, /no upgrade proto in request/)
})
