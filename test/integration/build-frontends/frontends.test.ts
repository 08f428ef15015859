/** Frontends that are images: a program in a container reads the build's file, and is answered on its standard streams. */
import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { connectGrpc, control, createClient } from '#grpc'
import { Engine, ROOT } from '../../harness/index.ts'
import { LLB_ROOT, LlbGraph } from '../../harness/llb-graph.ts'
import { noStepRuns, stepRuns } from '../build/build-client.ts'
import { buildImage, FrontendImage, project } from './frontend-image.ts'

let engine: Engine
let front: FrontendImage

before(async () => {
  engine = await Engine.start()
  engine.loadStarter()
  front = await FrontendImage.start(engine)
})

after(async () => {
  await front?.[Symbol.asyncDispose]()
  await engine?.[Symbol.asyncDispose]()
})

interface Said {
  status: number | null
  stderr: string
}

function build(files: Readonly<Record<string, string>>, ...args: string[]): Said {
  const { status, stderr } = engine.gantry(['build', '--progress', 'plain', ...args, project(engine, 'project', files)])
  return { status, stderr }
}

function labelOf(image: string): string {
  return engine.mustDocker('image', 'inspect', '-f', '{{.Config.Labels.label}}', image)
}

test('a frontend reads a language of its own, and what it has built is in the cache', () => {
  const files = { Dockerfile: '# syntax=front shell\necho by a script > /made\n' }
  const first = build(files, '-t', 'scripted')
  assert.equal(first.status, 0, first.stderr)
  assert.match(first.stderr, /resolve image config for docker-image:\/\/docker\.io\/library\/front:latest/)
  assert.equal(engine.mustDocker('run', '--rm', 'scripted', 'cat', '/made'), 'by a script')
  assert.equal(labelOf('scripted'), 'shell')
  assert.match(build(files).stderr, /run script\n#\d+ CACHED/)
})

test('an argument chooses the frontend, whatever the file says', () => {
  const files = { Dockerfile: '# syntax=no/such:image\necho by argument > /made\n' }
  const said = build(files, '-t', 'argued', '--build-arg', 'BUILDKIT_SYNTAX=front shell')
  assert.equal(said.status, 0, said.stderr)
  assert.equal(engine.mustDocker('run', '--rm', 'argued', 'cat', '/made'), 'by argument')
})

test('a frontend runs the one for Dockerfiles, but not itself for ever', () => {
  const files = {
    Dockerfile: '# syntax=front nested\n',
    'real.Dockerfile': '# syntax=front nested\nFROM starter\nCMD ["echo", "nested"]\n',
  }
  const said = build(files, '-t', 'nested')
  assert.equal(said.status, 0, said.stderr)
  assert.equal(engine.mustDocker('run', '--rm', 'nested'), 'nested')
  const endless = build({ Dockerfile: '# syntax=front again\n' })
  assert.match(endless.stderr, /frontends run frontends more than 8 deep/)
})

test('a frontend gets what the client has defined', async () => {
  const socket = connect(engine.socket)
  await once(socket, 'connect')
  const connection = connectGrpc(socket)
  try {
    const client = createClient(control.Control, connection.transport)
    const graph = new LlbGraph()
    const step = graph.run('echo defined > /made', [graph.image('starter:latest')], [LLB_ROOT])
    await client.solve({
      ref: 'given',
      frontend: 'gateway.v0',
      frontendAttrs: { source: 'front', cmdline: 'front inputs' },
      frontendInputs: { base: graph.definition([step, 0n]) },
      exporters: [{ type: 'moby', attrs: { name: 'given' } }],
    })
    assert.equal(engine.mustDocker('run', '--rm', 'given', 'cat', '/made'), 'defined')
  } finally {
    connection.close()
  }
})

test('a frontend runs programs beside the build', () => {
  const said = build({ Dockerfile: '# syntax=front container\n' }, '-t', 'beside')
  assert.equal(said.status, 0, said.stderr)
  assert.equal(labelOf('beside'), 'said 5')
})

test('a step that fails is told by the frontend with all that is known of it', () => {
  const said = build({ Dockerfile: '# syntax=front fails\n' })
  assert.equal(said.status, 1)
  assert.match(said.stderr, /process "\/bin\/sh -c exit 3" did not complete successfully: exit code: 3/)
  // Nothing else says where: it is the line that asked for the frontend.
  assert.match(said.stderr, /Dockerfile:1\n/)
})

test('a frontend without a result fails the build with the reason, and with what it said', () => {
  const table: readonly [scenario: string, failure: RegExp][] = [
    ['dies', /trouble[^]*Dockerfile:1\n[^]*: frontend front: exit code: 4/],
    ['silent', /: frontend front: no result for incomplete build/],
    ['nonsense', /: frontend front: frontend grpc server closed unexpectedly/],
    ['nothing', /: unknown reference never-given-out/],
  ]
  for (const [scenario, failure] of table) {
    const said = build({ Dockerfile: `# syntax=front ${scenario}\n` })
    assert.equal(said.status, 1, scenario)
    assert.match(said.stderr, failure)
  }
  const missing = build({ Dockerfile: 'FROM scratch\n' }, '--build-arg', 'BUILDKIT_SYNTAX=no.such.host:1/image')
  assert.match(missing.stderr, /failed with build-arg:BUILDKIT_SYNTAX = no\.such\.host:1\/image: failed to resolve source metadata/)
})

test('a label takes the network from a frontend', () => {
  const program = ['sh', '-c', 'ls /sys/class/net >&2; exit 1']
  const label = 'moby.buildkit.frontend.network.none=true'
  buildImage(engine, 'lonely', { Dockerfile: `FROM starter\nLABEL ${label}\nENTRYPOINT ${JSON.stringify(program)}\n` })
  const { stderr } = build({ Dockerfile: '# syntax=lonely\n' })
  assert.match(stderr, /^#\d+ [\d.]+ lo$/m)
  assert.doesNotMatch(stderr, /eth0/)
})

/** A build whose frontend never ends. Resolves when that runs. */
async function endlessBuild(): Promise<{ client: ChildProcess; ended: Promise<unknown> }> {
  const directory = project(engine, 'endless', { Dockerfile: '# syntax=front hangs\n' })
  const env = { ...process.env, DOCKER_HOST: `unix://${engine.socket}` }
  const client = spawn(join(ROOT, 'bin/gantry'), ['build', directory], { env, stdio: 'ignore' })
  const ended = once(client, 'exit')
  await stepRuns(engine, /^nc /)
  return { client, ended }
}

test('a frontend ends with its build', async () => {
  const { client, ended } = await endlessBuild()
  client.kill('SIGINT')
  await ended
  await noStepRuns(engine)
})

test('of a frontend whose daemon was killed the next one leaves nothing', async () => {
  const { ended } = await endlessBuild()
  await engine.stopDaemon('SIGKILL')
  await ended
  await engine.startDaemon()
  await noStepRuns(engine)
  assert.deepEqual(readdirSync(join(engine.execRoot, 'steps')), [])
})
