import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer as createListener, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Duplex, duplexPair } from 'node:stream'
import { afterEach, test } from 'node:test'
import { notFound } from '#errors'
import {
  Code,
  ConnectError,
  connectGrpc,
  createClient,
  createGrpcServer,
  filesync,
  fromGrpcError,
  health,
  metadataHeaders,
  metadataOf,
  secrets,
  sshforward,
  toGrpcError,
  type ConnectRouter,
  type Transport,
} from './index.ts'

const { SERVING } = health.HealthCheckResponse_ServingStatus

const opened: { close(): void }[] = []
afterEach(() => opened.splice(0).forEach((connection) => connection.close()))

/** Both ends of one connection. */
function pair(routes: (router: ConnectRouter) => void, describeError?: (error: unknown) => ConnectError): Transport {
  const [ours, theirs] = duplexPair()
  const server = createGrpcServer({ routes, ...(describeError && { describeError }) })
  const connection = connectGrpc(ours)
  server.serve(theirs)
  opened.push(connection, server)
  return connection.transport
}

test('connectGrpc calls a service that createGrpcServer serves', async () => {
  const transport = pair((router) => router.service(health.Health, { check: () => ({ status: SERVING }) }))
  assert.equal((await createClient(health.Health, transport).check({})).status, SERVING)
})

test('connectGrpc streams both ways at the same time', async () => {
  const transport = pair((router) =>
    router.service(sshforward.SSH, {
      checkAgent: () => ({}),
      async *forwardAgent(messages) {
        for await (const { data } of messages) yield { data: Buffer.from(data).reverse() }
      },
    }),
  )
  const answers: string[] = []
  const turn = Promise.withResolvers<void>()
  async function* questions(): AsyncGenerator<{ data: Uint8Array }> {
    yield { data: Buffer.from('abc') }
    // Only when the first answer is here: neither side may wait for the other's end.
    await turn.promise
    yield { data: Buffer.from('xyz') }
  }
  for await (const { data } of createClient(sshforward.SSH, transport).forwardAgent(questions())) {
    answers.push(Buffer.from(data).toString())
    turn.resolve()
  }
  assert.deepEqual(answers, ['cba', 'zyx'])
})

test('connectGrpc carries three MiB in one message, and refuses more than the limit', async () => {
  const transport = pair((router) =>
    router.service(secrets.Secrets, { getSecret: ({ id }) => ({ data: Buffer.alloc(Number(id) * 1024 * 1024) }) }),
  )
  const client = createClient(secrets.Secrets, transport)
  assert.equal((await client.getSecret({ id: '3' })).data.length, 3 * 1024 * 1024)
  await assert.rejects(client.getSecret({ id: '17' }), { code: Code.ResourceExhausted })
})

test('metadataHeaders sends each value as a header of its own, commas included', async () => {
  const seen: (readonly string[] | undefined)[] = []
  const transport = pair((router) =>
    router.service(filesync.FileSync, {
      async *diffCopy(packets, context) {
        yield* packets
        seen.push(metadataOf(context).get('exclude-patterns'), metadataOf(context).get('dir-name'))
      },
    }),
  )
  const headers = metadataHeaders({ 'dir-name': 'context', 'exclude-patterns': ['a,b', 'c', '**/d'] })
  for await (const _ of createClient(filesync.FileSync, transport).diffCopy(none(), { headers }));
  assert.deepEqual(seen, [['a,b', 'c', '**/d'], ['context']])
})

test('createGrpcServer answers with the code of an EngineError, in its words', async () => {
  const transport = pair((router) =>
    router.service(secrets.Secrets, {
      getSecret() {
        throw notFound('secret ünknown: not found')
      },
    }),
  )
  const failure = await createClient(secrets.Secrets, transport)
    .getSecret({ id: 'x' })
    .catch((error: unknown) => fromGrpcError(error))
  assert.ok(failure instanceof Error)
  assert.equal((failure as { code?: string }).code, 'NOT_FOUND')
  assert.equal(failure.message, 'secret ünknown: not found')
})

test('createGrpcServer sends details with the types that their makers gave them', async () => {
  const detail = { type: 'github.com/moby/buildkit/errdefs.Source+json', value: Buffer.from('{"ranges":[]}') }
  const transport = pair(
    (router) =>
      router.service(filesync.FileSync, {
        // An error in the middle of a stream takes another way than one of a plain call.
        async *diffCopy() {
          yield { id: 1 }
          throw new Error('broken')
        },
      }),
    (error) => toGrpcError(error, [detail]),
  )
  const read = async (): Promise<void> => {
    for await (const _ of createClient(filesync.FileSync, transport).diffCopy(none()));
  }
  const failure = await read().catch((error: unknown) => error)
  assert.ok(failure instanceof ConnectError)
  assert.equal(failure.rawMessage, 'broken')
  const encoded = Buffer.from(failure.metadata.get('grpc-status-details-bin') ?? '', 'base64').toString('latin1')
  assert.match(encoded, /github\.com\/moby\/buildkit\/errdefs\.Source\+json/)
  assert.doesNotMatch(encoded, /googleapis/)
})

test('createGrpcServer answers UNIMPLEMENTED for a service it does not have', async () => {
  const transport = pair(() => {})
  await assert.rejects(createClient(health.Health, transport).check({}), { code: Code.Unimplemented })
})

test('connections end with the peer, on sockets that may be half open, too', { timeout: 60_000 }, async () => {
  const directory = mkdtempSync(join(tmpdir(), 'gantry-grpc-'))
  const accepted: Socket[] = []
  const listener = createListener({ allowHalfOpen: true }, (socket) => accepted.push(socket))
  const path = join(directory, 's')
  await new Promise<void>((resolve) => listener.listen(path, resolve))
  try {
    for (const use of ['serve', 'call'] as const) {
      const peer = connect(path)
      while (accepted.length === 0) await new Promise((resolve) => setTimeout(resolve, 1))
      const [socket] = accepted.splice(0)
      assert.ok(socket)
      const closed = new Promise((resolve) => socket.once('close', resolve))
      if (use === 'serve') createGrpcServer({ routes: () => {} }).serve(socket)
      else opened.push(connectGrpc(socket))
      peer.resume().end()
      await closed
    }
  } finally {
    listener.close()
    rmSync(directory, { recursive: true })
  }
})

test('connections begin when what was written before is on its way', async () => {
  for (const use of ['serve', 'call'] as const) {
    let release = (): void => {}
    const order: string[] = []
    const socket = new Duplex({
      read() {},
      write(chunk: Buffer, _encoding, done) {
        order.push(chunk.subarray(0, 3).toString('latin1'))
        // Slow, as with TLS.
        if (order.length === 1) release = done
        else done()
      },
    })
    socket.write('101 Switching')
    if (use === 'serve') createGrpcServer({ routes: () => {} }).serve(socket)
    else opened.push(connectGrpc(socket))
    await new Promise((resolve) => setTimeout(resolve, 10))
    assert.deepEqual(order, ['101'])
    release()
    while (order.length < 2) await new Promise((resolve) => setTimeout(resolve, 1))
    socket.destroy()
  }
})

test('connectGrpc ends its calls when the socket goes', async () => {
  const [ours, theirs] = duplexPair()
  const connection = connectGrpc(ours)
  const call = createClient(health.Health, connection.transport).check({})
  theirs.destroy()
  ours.destroy()
  await assert.rejects(call)
  assert.equal(connection.closed.aborted, true)
})

async function* none(): AsyncGenerator<never> {}

/** Two ends of a connection; what one writes comes to the other in one piece, a moment later. */
function batchedPair(): [Duplex, Duplex] {
  const end = (peer: () => Duplex): Duplex => {
    let waiting: Buffer[] = []
    return new Duplex({
      read() {},
      write(chunk: Buffer, _encoding, done) {
        if (waiting.length === 0)
          setTimeout(() => {
            peer().push(Buffer.concat(waiting))
            waiting = []
          }, 5)
        waiting.push(chunk)
        done()
      },
    })
  }
  const client: Duplex = end(() => server)
  const server: Duplex = end(() => client)
  return [client, server]
}

test('an answer whose headers, message and end come in one piece is read', async () => {
  const [near, far] = batchedPair()
  const server = createGrpcServer({
    routes: (router) => router.service(secrets.Secrets, { getSecret: ({ id }) => ({ data: Buffer.from(id) }) }),
  })
  server.serve(far)
  const connection = connectGrpc(near)
  const client = createClient(secrets.Secrets, connection.transport)
  for (let count = 0; count < 10; count++) {
    assert.equal(Buffer.from((await client.getSecret({ id: `s${count}` })).data).toString(), `s${count}`)
  }
  connection.close()
  server.close()
})
