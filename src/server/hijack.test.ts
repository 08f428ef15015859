import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import type { Duplex } from 'node:stream'
import type { AttachedIo, AttachRequest, Exec } from '#containers'
import { invalidArgument, notFound } from '#errors'
import { encodeFrame } from '#api'
import { CONTAINER_ID, fakeIo } from './testing/fake-services.ts'
import { readAll, startServer } from './testing/harness.ts'

/**
 * Sends back everything until the client's half-close, then says goodbye. Starts late, as for a container that is not started yet, and by a
 * listener, which does not resume a paused stream.
 */
const echo = (tty: boolean): AttachedIo =>
  fakeIo(tty, async (client: Duplex) => {
    await new Promise((resolve) => setTimeout(resolve, 2))
    client.on('data', (chunk: Buffer) => client.write(chunk))
    if (!client.readableEnded) await once(client, 'end')
    client.write('bye')
  })

const exec: Exec = {
  id: 'e1',
  containerId: CONTAINER_ID,
  request: {
    cmd: ['cat'],
    env: [],
    user: '',
    workingDir: '',
    privileged: false,
    tty: false,
    attachStdin: true,
    attachStdout: true,
    attachStderr: true,
    detachKeys: '',
  },
  running: false,
  exitCode: null,
  pid: 0,
  canRemove: false,
  openStdin: true,
}

const head = (lines: string[]): string => `${lines.join('\r\n')}\r\n\r\n`
const UPGRADE = ['Connection: Upgrade', 'Upgrade: tcp']

test('attach with Upgrade answers 101 and half-closes both ways', async () => {
  const requests: AttachRequest[] = []
  await using server = await startServer({
    containers: {
      attach: async (_ref, request) => {
        requests.push(request)
        return echo(false)
      },
    },
  })
  const client = server.connect()
  client.write(head(['POST /v1.44/containers/web/attach?stream=1&stdin=1&stdout=1&detachKeys=ctrl-c HTTP/1.1', 'Host: x', ...UPGRADE]))
  client.end('hello ')
  const answer = await readAll(client)
  assert.match(answer, /^HTTP\/1\.1 101 UPGRADED\r\n/)
  assert.match(answer, /\r\nContent-Type: application\/vnd\.docker\.multiplexed-stream\r\n/)
  assert.match(answer, /\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n/)
  assert.match(answer, /\r\nApi-Version: 1\.55\r\n/)
  assert.ok(answer.endsWith('\r\n\r\nhello bye'))
  assert.deepEqual(requests, [{ stdin: true, stdout: true, stderr: false, stream: true, logs: false, detachKeys: 'ctrl-c' }])
})

test('attach content type is raw for a tty, for API 1.41, and without Upgrade', async () => {
  await using server = await startServer({ containers: { attach: async (ref) => echo(ref === 'tty') } })
  for (const [path, upgrade] of [
    ['/containers/tty/attach', true],
    ['/v1.41/containers/web/attach', true],
    ['/containers/web/attach', false],
  ] as const) {
    const client = server.connect()
    client.end(head([`POST ${path} HTTP/1.1`, 'Host: x', ...(upgrade ? UPGRADE : [])]))
    const answer = await readAll(client)
    assert.match(answer, /\r\nContent-Type: application\/vnd\.docker\.raw-stream\r\n/)
    assert.match(answer, upgrade ? /^HTTP\/1\.1 101 / : /^HTTP\/1\.1 200 OK\r\n/)
    assert.doesNotMatch(answer, /Content-Length|Transfer-Encoding/)
  }
})

test('exec start without Upgrade cuts the body by Content-Length and keeps every byte behind it', async () => {
  const body = '{"Detach":false,"Tty":false}'
  const length = `Content-Length: ${body.length}`
  const start = head(['POST /exec/e1/start HTTP/1.1', 'Host: x', 'Content-Type: application/json', length])
  // What Node's parser would take for a request, for blank space before one, or for garbage.
  for (const stdin of ['GET /_ping HTTP/1.1\r\nHost: x\r\n\r\n', '\r\n\r\nPOST', 'ls -l\n', '\0\x01binary']) {
    const whole = start + body + stdin
    const cuts = [0, 1, start.length - 3, start.length - 1, start.length, start.length + 5, whole.length - stdin.length, whole.length - 1]
    for (const cut of cuts) {
      const sent: unknown[] = []
      await using server = await startServer({
        containers: {
          getExec: () => exec,
          startExec: async (id, options) => {
            sent.push(id, options)
            return echo(false)
          },
        },
      })
      const client = server.connect()
      client.setNoDelay(true)
      client.write(whole.slice(0, cut))
      if (cut > 0) await new Promise((resolve) => setTimeout(resolve, 5))
      client.write(whole.slice(cut))
      client.end('tail')
      const answer = await readAll(client)
      assert.equal(answer.slice(answer.indexOf('\r\n\r\n') + 4), `${stdin}tailbye`, `cut at ${cut}`)
      assert.deepEqual(sent, ['e1', { detach: false, tty: false }])
    }
  }
})

test('exec start with Upgrade parses the body and keeps every byte behind it', async () => {
  const body = '{"Tty":true,"ConsoleSize":[24,80]}'
  const start = head([
    'POST /v1.45/exec/e1/start HTTP/1.1',
    'Host: x',
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
    ...UPGRADE,
  ])
  const whole = `${start}${body}stdin`
  for (const cut of [0, start.length, start.length + 5, whole.length - 2]) {
    const sent: unknown[] = []
    await using server = await startServer({
      containers: {
        getExec: () => exec,
        startExec: async (_id, options) => {
          sent.push(options)
          return echo(true)
        },
      },
    })
    const client = server.connect()
    client.write(whole.slice(0, cut))
    if (cut > 0) await new Promise((resolve) => setTimeout(resolve, 5))
    client.end(whole.slice(cut))
    const answer = await readAll(client)
    assert.match(answer, /^HTTP\/1\.1 101 UPGRADED\r\n/)
    assert.ok(answer.endsWith('\r\n\r\nstdinbye'), answer)
    assert.deepEqual(sent, [{ detach: false, tty: true, consoleSize: [24, 80] }])
  }
})

test('exec start detached answers 200 with nothing and ends the connection', async () => {
  await using server = await startServer({ containers: { getExec: () => exec, startExec: async () => undefined } })
  const answer = await server.request('POST', '/exec/e1/start', { body: { Detach: true } })
  assert.equal(answer.status, 200)
  assert.equal(answer.text, '')
  assert.equal(answer.headers.connection, 'close')
})

test('exec start tells a program that cannot run inside the stream', async () => {
  const message = 'OCI runtime exec failed: exec: "nope": executable file not found in $PATH: unknown'
  await using server = await startServer({
    containers: {
      getExec: () => exec,
      startExec: async () => {
        throw invalidArgument(message)
      },
    },
  })
  const answer = await server.request('POST', '/exec/e1/start', { body: {} })
  assert.equal(answer.status, 200)
  assert.equal(answer.text, encodeFrame('stdout', `${message}\r\n`).toString())
})

test('hijack routes answer errors before the stream as ordinary errors', async () => {
  await using server = await startServer({
    containers: {
      attach: async (ref) => {
        throw notFound(`No such container: ${ref}`)
      },
    },
  })
  const client = server.connect()
  client.write(head(['POST /containers/nope/attach HTTP/1.1', 'Host: x', ...UPGRADE]))
  const answer = await readAll(client)
  assert.match(answer, /^HTTP\/1\.1 404 Not Found\r\n/)
  assert.ok(answer.endsWith('{"message":"No such container: nope"}\n'))
  assert.equal((await server.request('POST', '/exec/e1/start', { body: '{' })).status, 400)
})

test('a connection can be hijacked after ordinary requests, also pipelined ones', async () => {
  await using server = await startServer({ containers: { attach: async () => echo(true) } })
  const ping = head(['GET /_ping HTTP/1.1', 'Host: x'])
  const attach = head(['POST /containers/web/attach?stream=1 HTTP/1.1', 'Host: x'])
  const apart = server.connect()
  apart.write(ping)
  await readAll(apart, (text) => text.endsWith('OK'))
  apart.end(`${attach}one`)
  assert.ok((await readAll(apart)).endsWith('\r\n\r\nonebye'))

  const pipelined = server.connect()
  pipelined.end(`${ping}${attach}two`)
  assert.ok((await readAll(pipelined)).endsWith('\r\n\r\ntwobye'))
})

test('close ends hijacked connections', async () => {
  const server = await startServer({
    containers: {
      attach: async () => fakeIo(true, async (client) => void (await once(client.resume(), 'close'))),
    },
  })
  const client = server.connect()
  client.write(head(['POST /containers/web/attach HTTP/1.1', 'Host: x']))
  await readAll(client, (text) => text.endsWith('\r\n\r\n'))
  const ended = readAll(client)
  await server[Symbol.asyncDispose]()
  await ended
})
