/** Sessions that break the rules of transfers: builds fail, and the daemon goes on. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import {
  connectGrpc,
  control,
  create,
  createClient,
  createGrpcServer,
  filesync,
  fsutil,
  ops,
  toBinary,
  type GrpcConnection,
  type MessageInitShape,
} from '#grpc'
import { goFileMode } from '#lib'
import { digestOf } from '#oci'
import { Engine } from '../../harness/index.ts'

type PacketInit = MessageInitShape<typeof fsutil.PacketSchema>
type StatInit = Partial<Pick<fsutil.Stat, 'mode' | 'uid' | 'gid' | 'size' | 'modTime' | 'devmajor' | 'devminor' | 'xattrs'>> & {
  linkname?: string
}
const { Packet_Type: Type } = fsutil

let engine: Engine
let connection: GrpcConnection
let canary: string

before(async () => {
  engine = await Engine.start()
  const socket = connect(engine.socket)
  await once(socket, 'connect')
  connection = connectGrpc(socket)
  canary = mkdtempSync(join(tmpdir(), 'canary-'))
  writeFileSync(join(canary, 'secret'), 'the host’s own\n', { mode: 0o600 })
})
after(async () => {
  connection?.close()
  rmSync(canary, { recursive: true, force: true })
  await engine?.[Symbol.asyncDispose]()
})

/** All of the client's directory, copied to an empty file system. */
function definition(): MessageInitShape<typeof ops.DefinitionSchema> {
  const def: Uint8Array[] = []
  const add = (op: MessageInitShape<typeof ops.OpSchema>): { digest: string; index: bigint } => {
    const bytes = toBinary(ops.OpSchema, create(ops.OpSchema, op))
    def.push(bytes)
    return { digest: digestOf(bytes), index: 0n }
  }
  // Its name makes each definition another one: nothing comes from the cache.
  const local = add({ op: { case: 'source', value: { identifier: `local://${randomUUID()}` } } })
  const copy = { src: '/', dest: '/', mode: -1, timestamp: -1n, dirCopyContents: true }
  const action = { input: -1n, secondaryInput: 0n, output: 0n, action: { case: 'copy' as const, value: copy } }
  const file = add({ inputs: [local], op: { case: 'file', value: { actions: [action] } } })
  add({ inputs: [file] })
  return { def }
}

/** Builds with a client that answers every request for a directory with `packets`. Gives the error's text; undefined: it was built. */
async function build(
  packets: (requests: AsyncIterable<fsutil.Packet>) => AsyncGenerator<PacketInit>,
  sharedKey = '',
): Promise<string | undefined> {
  const session = randomUUID().replaceAll('-', '')
  const server = createGrpcServer({
    routes: (router) =>
      void router.rpc(filesync.FileSync.method.diffCopy, async function* (requests) {
        for await (const packet of packets(requests)) yield create(fsutil.PacketSchema, packet)
      }),
  })
  const headers = {
    Connection: 'Upgrade',
    Upgrade: 'h2c',
    'X-Docker-Expose-Session-Uuid': session,
    'X-Docker-Expose-Session-Sharedkey': sharedKey,
  }
  const call = request({ socketPath: engine.socket, method: 'POST', path: '/session', headers })
  call.end()
  const [, socket, head] = (await once(call, 'upgrade')) as [unknown, Socket, Buffer]
  socket.unshift(head)
  try {
    server.serve(socket)
    const solving = createClient(control.Control, connection.transport).solve({ ref: randomUUID(), session, definition: definition() })
    return await solving.then(
      () => undefined,
      (error: Error) => error.message,
    )
  } finally {
    server.close()
  }
}

const FILE = goFileMode(0o100644)
const DIRECTORY = goFileMode(0o040755)
const LINK = goFileMode(0o120777)
const DEVICE = goFileMode(0o060666)

function stat(path: string, { linkname = '', ...members }: StatInit = {}): PacketInit {
  return { type: Type.STAT, stat: { path: Buffer.from(path), linkname: Buffer.from(linkname), mode: FILE, modTime: 1n, ...members } }
}

async function assertAlive(): Promise<void> {
  assert.equal((await engine.request('GET', '/_ping')).status, 200)
  assert.equal(readFileSync(join(canary, 'secret'), 'utf8'), 'the host’s own\n')
  assert.equal(statSync(join(canary, 'secret')).mode & 0o7777, 0o600)
  assert.deepEqual(readdirSync(canary), ['secret'])
}

const REFUSED: Record<string, PacketInit[]> = {
  'a path that leads out': [stat('../../../../../../tmp/planted')],
  'an absolute path': [stat('/tmp/../planted')],
  'a file below a link': [stat('d', { mode: LINK, linkname: '/tmp' }), stat('d/planted')],
  'a directory that becomes a link': [stat('d', { mode: DIRECTORY }), stat('d', { mode: LINK, linkname: '/tmp' })],
  'entries out of order': [stat('b'), stat('a')],
  'the same twice': [stat('a'), stat('a')],
  'a hard link to a file of the host': [stat('a', { linkname: '../../../../../../../etc/passwd' })],
  'a hard link to a link': [stat('a', { mode: LINK, linkname: '/etc/passwd' }), stat('b', { linkname: 'a' })],
  'a file without a directory': [stat('nowhere/a')],
  'an impossible size': [stat('a', { size: -5n })],
  'an impossible device': [stat('a', { mode: DEVICE, devmajor: 1n << 40n, devminor: -1n })],
  'an impossible time': [stat('a', { modTime: (1n << 63n) - 1n, mode: DIRECTORY }), stat('a/b', { mode: 0xffffffff })],
  'attributes without end': [stat('a', { xattrs: { 'user.a': Buffer.alloc(100_000) } })],
  'a packet that is none of the list': [{ type: Type.REQUEST, id: 1 }],
  'content before the list': [{ type: Type.DATA, id: 0, data: Buffer.from('x') }],
  'an end before the list': [{ type: Type.FINISH }],
}

for (const [what, packets] of Object.entries(REFUSED)) {
  test(`${what} is refused`, async () => {
    const failure = await build(async function* () {
      yield* packets
      yield { type: Type.STAT }
    })
    assert.match(failure ?? 'it was built', /invalid|out of order|too early|EINVAL/)
    await assertAlive()
  })
}

/** Each file that is asked for, by `answer`. */
async function* answering(
  stats: readonly PacketInit[],
  requests: AsyncIterable<fsutil.Packet>,
  answer: (id: number) => Iterable<PacketInit>,
): AsyncGenerator<PacketInit> {
  yield* stats
  yield { type: Type.STAT }
  for await (const { type, id } of requests) {
    if (type === Type.FINISH) return yield { type: Type.FINISH }
    if (type === Type.REQUEST) yield* answer(id)
  }
}

test('content that nobody has asked for, or of another length, harms nobody', async () => {
  const failure = await build((requests) =>
    answering([stat('a', { size: 3n }), stat('b', { size: 3n })], requests, (id) => [
      { type: Type.DATA, id: 77, data: Buffer.from('nobody’s') },
      { type: Type.DATA, id, data: Buffer.alloc(500_000) },
      { type: Type.DATA, id },
      { type: Type.DATA, id, data: Buffer.from('after the end') },
    ]),
  )
  assert.equal(failure, undefined)
  await assertAlive()
})

test('links and attributes stay inside, however often a directory is sent again', async () => {
  const key = randomUUID()
  const turns: PacketInit[][] = [
    [
      stat('d', { mode: LINK, linkname: canary }),
      stat('secret', { mode: LINK, linkname: `${canary}/secret`, xattrs: { 'trusted.x': Buffer.from('1') } }),
    ],
    [stat('d', { mode: DIRECTORY }), stat('d/planted'), stat('secret')],
    [stat('d', { mode: LINK, linkname: canary }), stat('secret', { mode: LINK, linkname: `${canary}/secret` })],
    [stat('d'), stat('secret', { mode: DIRECTORY }), stat('secret/planted')],
  ]
  for (const stats of turns) {
    const failure = await build(
      (requests) =>
        answering(stats, requests, (id) => [
          { type: Type.DATA, id, data: Buffer.from('x') },
          { type: Type.DATA, id },
        ]),
      key,
    )
    assert.equal(failure, undefined)
    await assertAlive()
  }
})

test('a client that breaks off in the middle of a file ends its build', async () => {
  const failure = await build((requests) =>
    answering([stat('a', { size: 10n })], requests, function* (id) {
      yield { type: Type.DATA, id, data: Buffer.from('x') }
      throw new Error('enough')
    }),
  )
  assert.match(failure ?? 'it was built', /enough|internal/i)
  await assertAlive()
})
