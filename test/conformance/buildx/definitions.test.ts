/** Build graphs that clients write themselves (LLB), as buildctl and other tools do, over HTTP/2 without any upgrade. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { after, before, test } from 'node:test'
import { connectGrpc, control, createClient, type Client, type GrpcConnection, type MessageInitShape, type ops } from '#grpc'
import { Engine } from '../../harness/index.ts'
import { LLB_ROOT, LlbGraph } from '../../harness/llb-graph.ts'

let engine: Engine
let connection: GrpcConnection
let client: Client<typeof control.Control>

before(async () => {
  engine = await Engine.start()
  engine.loadStarter()
  const socket = connect(engine.socket)
  await once(socket, 'connect')
  connection = connectGrpc(socket)
  client = createClient(control.Control, connection.transport)
})

after(async () => {
  connection?.close()
  await engine?.[Symbol.asyncDispose]()
})

/** Builds an image of what `graph` gives. */
async function solve(ref: string, definition: MessageInitShape<typeof ops.DefinitionSchema>): Promise<string[]> {
  const names: string[] = []
  const watching = (async () => {
    for await (const { vertexes } of client.status({ ref })) names.push(...vertexes.map(({ name }) => name))
  })()
  await client.solve({ ref, definition, exporters: [{ type: 'moby', attrs: { name: ref } }] })
  await watching
  return names
}

test('steps, files, merges and differences of a definition make an image', async () => {
  const graph = new LlbGraph()
  const base = graph.image('starter:latest')
  // Two results of one step: its root, and what it wrote to an empty file system.
  const step = graph.run(
    'echo root > /made && echo extra > /out/extra',
    [base],
    [LLB_ROOT, { input: -1n, dest: '/out', output: 1n }],
    'two results',
  )
  const changes = graph.add({ case: 'diff', value: { lower: { input: 0n }, upper: { input: 1n } } }, [base, [step, 0n]])
  const copied = graph.add(
    {
      case: 'file',
      value: {
        actions: [
          { input: -1n, output: -1n, action: { case: 'mkdir', value: { path: '/copied', mode: 0o750, timestamp: -1n } } },
          {
            input: 1n,
            secondaryInput: 0n,
            output: 0n,
            action: { case: 'copy', value: { src: '/extra', dest: '/copied/', mode: 0o600, timestamp: -1n } },
          },
        ],
      },
    },
    [[step, 1n]],
  )
  const merged = graph.add({ case: 'merge', value: { inputs: [{ input: 0n }, { input: 1n }, { input: 2n }] } }, [
    base,
    [changes, 0n],
    [copied, 0n],
  ])
  const names = await solve('llb', graph.definition([merged, 0n]))
  assert.ok(names.includes('two results'), names.join(', '))
  const told = engine.mustDocker('run', '--rm', 'llb', 'sh', '-c', 'cat /made /copied/extra; stat -c %a /copied /copied/extra')
  assert.deepEqual(told.split('\n'), ['root', 'extra', '750', '600'])
})

test('the same definition is found again, also when another one holds it', async () => {
  const graph = new LlbGraph()
  const step = graph.run('cat /proc/sys/kernel/random/uuid > /id', [graph.image('starter:latest')], [LLB_ROOT])
  await solve('first', graph.definition([step, 0n]))
  const more = graph.run('cp /id /copy', [[step, 0n]], [LLB_ROOT])
  await solve('second', graph.definition([more, 0n]))
  assert.equal(engine.mustDocker('run', '--rm', 'first', 'cat', '/id'), engine.mustDocker('run', '--rm', 'second', 'cat', '/copy'))
})

test('an empty file system makes an image without layers', async () => {
  await client.solve({ ref: 'empty', definition: { def: [] }, exporters: [{ type: 'moby', attrs: { name: 'empty' } }] })
  assert.equal(engine.mustDocker('image', 'inspect', '-f', '{{.Os}}/{{.Architecture}} {{len .RootFS.Layers}}', 'empty'), 'linux/amd64 0')
})

test('a definition that is none is refused', async () => {
  const graph = new LlbGraph()
  const step = graph.run('true', [['sha256:0000', 0n]], [LLB_ROOT])
  await assert.rejects(
    client.solve({ ref: 'missing', definition: graph.definition([step, 0n]) }),
    /invalid missing input digest sha256:0000/,
  )
  const nested = graph.add({ case: 'build', value: {} })
  await assert.rejects(client.solve({ ref: 'nested', definition: graph.definition([nested, 0n]) }), /BuildOp.*not implemented in Gantry/)
})
