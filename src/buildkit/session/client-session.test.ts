import assert from 'node:assert/strict'
import { duplexPair } from 'node:stream'
import { text } from 'node:stream/consumers'
import { afterEach, test } from 'node:test'
import type { FileStat } from '#build'
import { Code, ConnectError, createGrpcServer, filesync, fsutil, metadataOf, secrets, sshforward, upload, type ConnectRouter } from '#grpc'
import { openClientSession, type ClientSession } from './client-session.ts'
import { toStat } from './file-stat.ts'

const { Packet_Type: Type } = fsutil
const opened: { close(): void }[] = []
afterEach(() => opened.splice(0).forEach((connection) => connection.close()))

/** A session whose client serves `routes`. */
function session(routes: (router: ConnectRouter) => void): ClientSession {
  const [ours, theirs] = duplexPair()
  const server = createGrpcServer({ routes })
  server.serve(theirs)
  const client = openClientSession(ours, { id: 's1', sharedKey: '' })
  opened.push(client, server)
  return client
}

const request = {
  name: 'context',
  includePatterns: [],
  excludePatterns: ['a,b', 'ü x'],
  followPaths: [],
  signal: new AbortController().signal,
}

/** A sender that has two files, and answers requests in the order they come, in pieces of three bytes. */
async function* sender(packets: AsyncIterable<fsutil.Packet>, contents: Record<number, string>): AsyncGenerator<object> {
  yield { type: Type.STAT, stat: { path: Buffer.from('dir'), mode: 2 ** 31 + 0o755 } }
  yield { type: Type.STAT, stat: { path: Buffer.from('dir/file'), mode: 0o4755 & 0o777, size: 7n, modTime: 1_600_000_000_123_456_789n } }
  yield { type: Type.STAT, stat: { path: Buffer.from('link'), mode: 2 ** 27 + 0o777, linkname: Buffer.from('dir/file') } }
  yield { type: Type.STAT, stat: { path: Buffer.from('other'), mode: 0o600, size: 2n } }
  yield { type: Type.STAT }
  for await (const { type, id } of packets) {
    if (type === Type.FINISH) return void (yield { type: Type.FINISH })
    const bytes = Buffer.from(contents[id] ?? '')
    for (let offset = 0; offset < bytes.length; offset += 3) yield { type: Type.DATA, id, data: bytes.subarray(offset, offset + 3) }
    yield { type: Type.DATA, id }
  }
}

test('directory gives entries with modes of stat, and files asked for at the same time', async () => {
  const patterns: unknown[] = []
  const client = session((router) =>
    router.service(filesync.FileSync, {
      diffCopy(packets, context) {
        patterns.push(metadataOf(context).get('exclude-patterns'), metadataOf(context).get('exclude-patterns-encoded'))
        return sender(packets, { 1: 'content', 3: 'ok' })
      },
    }),
  )
  await using transfer = await client.directory(request)
  const entries: FileStat[] = []
  for await (const entry of transfer.entries()) entries.push(entry)
  assert.deepEqual(
    entries.map(({ path, mode, linkname }) => [path, mode.toString(8), linkname]),
    [
      ['dir', '40755', ''],
      ['dir/file', '100755', ''],
      ['link', '120777', 'dir/file'],
      ['other', '100600', ''],
    ],
  )
  assert.equal(entries[1]?.mtime, 1_600_000_000_123_456_789n)
  assert.deepEqual(await Promise.all([join(transfer.read(3)), join(transfer.read(1))]), ['ok', 'content'])
  assert.deepEqual(patterns, [['a%2Cb', '%C3%BC+x'], ['1']])
})

test('directory gives names that are no UTF-8 so that they come back as the same bytes', async () => {
  const name = Buffer.from('caf\xe9', 'latin1')
  async function* packets(): AsyncGenerator<object> {
    yield { type: Type.STAT, stat: { path: name, mode: 0o644 } }
    yield { type: Type.STAT }
  }
  const client = session((router) => router.service(filesync.FileSync, { diffCopy: packets }))
  await using transfer = await client.directory(request)
  for await (const entry of transfer.entries()) assert.deepEqual(toStat(entry).path, name)
})

test('directory throws NOT_FOUND, in the words of the client, when it has none of this name', async () => {
  const client = session((router) =>
    router.service(filesync.FileSync, {
      async *diffCopy() {
        yield* []
        throw new ConnectError('no access allowed to dir "context"', Code.NotFound)
      },
    }),
  )
  await assert.rejects(client.directory(request), { code: 'NOT_FOUND', message: 'no access allowed to dir "context"' })
})

test('directory refuses paths that lead out of it', async () => {
  const client = session((router) =>
    router.service(filesync.FileSync, {
      async *diffCopy() {
        yield { type: Type.STAT, stat: { path: Buffer.from('../../etc/passwd'), mode: 0o644 } }
      },
    }),
  )
  await using transfer = await client.directory(request)
  await assert.rejects(transfer.entries()[Symbol.asyncIterator]().next(), { code: 'INVALID_ARGUMENT' })
})

test('directory throws what the client says in a packet of its own', async () => {
  const client = session((router) =>
    router.service(filesync.FileSync, {
      async *diffCopy() {
        yield { type: Type.ERROR, data: Buffer.from('disk is gone') }
      },
    }),
  )
  await assert.rejects(client.directory(request), { message: 'disk is gone' })
})

test('sendDirectory sends entries, and the content of what is asked for', async () => {
  const seen: unknown[] = []
  const client = session((router) => {
    const method = { ...filesync.FileSend.method.diffCopy, input: fsutil.PacketSchema, output: fsutil.PacketSchema }
    router.rpc(method, async function* receive(packets, context) {
      seen.push(metadataOf(context).get('buildkit-attachable-exporter-id')?.[0])
      let content = ''
      for await (const { type, stat, data, id } of packets) {
        if (type === Type.STAT && stat !== undefined) seen.push([Buffer.from(stat.path).toString(), stat.mode])
        else if (type === Type.STAT) yield { type: Type.REQUEST, id: 1 }
        else if (type === Type.DATA && data.length > 0) content += Buffer.from(data).toString()
        else if (type === Type.DATA) {
          seen.push([id, content])
          yield { type: Type.FINISH }
        } else return
      }
    })
  })
  async function* entries(): AsyncGenerator<FileStat> {
    const common = { uid: 0, gid: 0, mtime: 0n, linkname: '', device: { major: 0, minor: 0 }, xattrs: {} }
    yield { ...common, path: 'bin', mode: 0o040755, size: 0 }
    yield { ...common, path: 'bin/app', mode: 0o104755, size: 3 }
  }
  const target = { exporter: '1', metadata: {}, signal: new AbortController().signal }
  await client.sendDirectory(target, entries(), async function* read() {
    yield Buffer.from('app')
  })
  assert.deepEqual(seen, ['1', ['bin', 2 ** 31 + 0o755], ['bin/app', (1 << 23) + 0o755], [1, 'app']])
})

test('sendFile finishes when the client has everything, and tells it the metadata', async () => {
  let received = ''
  let name: string | undefined
  const client = session((router) =>
    router.service(filesync.FileSend, {
      async *diffCopy(messages, context) {
        name = metadataOf(context).get('exporter-md-image.name')?.[0]
        for await (const { data } of messages) received += Buffer.from(data).toString()
        yield* []
      },
    }),
  )
  const file = await client.sendFile({ exporter: '', metadata: { 'image.name': 'app:1' }, signal: new AbortController().signal })
  file.write('one ')
  await new Promise<void>((resolve, reject) => {
    file.once('finish', resolve).once('error', reject)
    file.end('two')
  })
  assert.deepEqual([received, name], ['one two', 'app:1'])
})

test('sendFile fails when the client refuses the file', async () => {
  const client = session((router) =>
    router.service(filesync.FileSend, {
      async *diffCopy() {
        yield* []
        throw new ConnectError('target already exists', Code.AlreadyExists)
      },
    }),
  )
  const file = await client.sendFile({ exporter: '', metadata: {}, signal: new AbortController().signal })
  const failure = new Promise((resolve) => file.once('error', resolve))
  file.write('x')
  assert.equal(((await failure) as Error).message, 'target already exists')
})

test('secret gives bytes, and undefined where there is none or nobody to ask', async () => {
  const client = session((router) =>
    router.service(secrets.Secrets, {
      getSecret({ id }) {
        if (id !== 'token') throw new ConnectError('not found', Code.NotFound)
        return { data: Buffer.from('42') }
      },
    }),
  )
  assert.equal(Buffer.from((await client.secret('token')) ?? []).toString(), '42')
  assert.equal(await client.secret('other'), undefined)
  assert.equal(await session(() => {}).secret('token'), undefined)
})

test('secret throws for one that is too large, instead of having none', async () => {
  const getSecret = (): object => ({ data: Buffer.alloc(500 * 1024 + 1) })
  const client = session((router) => router.service(secrets.Secrets, { getSecret }))
  await assert.rejects(client.secret('big'), { code: 'INVALID_ARGUMENT', message: 'secret big is larger than 512000 bytes' })
})

test('credentials gives a password, an identity token, or nothing', async () => {
  const answers: Record<string, object> = {
    'one.example': { username: 'u', secret: 'p' },
    'token.example': { secret: 't' },
    'none.example': {},
  }
  const client = session((router) => router.rpc(filesync.Auth.method.credentials, ({ host }) => answers[host] ?? {}))
  assert.deepEqual(await client.credentials('one.example'), { username: 'u', password: 'p' })
  assert.deepEqual(await client.credentials('token.example'), { identityToken: 't' })
  assert.equal(await client.credentials('none.example'), undefined)
})

test('forwardAgent is a connection to the agent', async () => {
  const client = session((router) =>
    router.service(sshforward.SSH, {
      checkAgent({ id }) {
        if (id !== 'default') throw new ConnectError(`unset ssh forward key ${id}`)
        return {}
      },
      async *forwardAgent(messages, context) {
        yield { data: Buffer.from(`${metadataOf(context).get('buildkit.ssh.id')?.[0]}:`) }
        for await (const { data } of messages) yield { data: Buffer.from(Buffer.from(data).toString().toUpperCase()) }
      },
    }),
  )
  await client.checkAgent('default')
  await assert.rejects(client.checkAgent('other'), { code: 'NOT_FOUND', message: 'unset ssh forward key other' })
  const agent = await client.forwardAgent('default')
  agent.end('sign')
  assert.equal(await text(agent), 'default:SIGN')
})

test('upload gives what the client offers at a path', async () => {
  const client = session((router) =>
    router.service(upload.Upload, {
      async *pull(_, context) {
        yield { data: Buffer.from(`${metadataOf(context).get('urlpath')?.[0]} `) }
        yield { data: Buffer.from('FROM scratch') }
      },
    }),
  )
  assert.equal(await text(await client.upload(new URL('http://buildkit-session/abc'))), '/abc FROM scratch')
})

test('closed aborts when the connection of the client ends', async () => {
  const [ours, theirs] = duplexPair()
  const client = openClientSession(ours, { id: 's', sharedKey: '' })
  theirs.destroy()
  ours.destroy()
  if (!client.closed.aborted) await new Promise((resolve) => client.closed.addEventListener('abort', resolve))
  assert.ok(client.closed.aborted)
})

async function join(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  let joined = ''
  for await (const chunk of chunks) joined += Buffer.from(chunk).toString()
  return joined
}
