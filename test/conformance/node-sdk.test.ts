/**
 * `@docker/node-sdk`, Docker's own SDK for Node, on a live engine. What version 0.0.17 sends in a way no engine understands is left out: the condition of
 * `containerWait` goes as a body, the settings of `containerUpdate` as a query, the tar of `putContainerArchive` as JSON, and the parameters of
 * `containerArchiveInfo` and `systemEvents` as `[object Object]`. `imageHistory` asks for `/image/…`, errors of POST are
 * not noticed, and those of GET are thrown as classes, not as objects.
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { DockerClient } from '@docker/node-sdk'
import { Engine, eventually } from '../harness/index.ts'
import { countingCommand, countingDigest, HashSink, TextSink } from './collect.ts'

const engine = await Engine.start()
after(() => engine[Symbol.asyncDispose]())
// In a hook, as everything that may fail: what throws beside the tests runs no hooks, and the engine would stay.
before(() => engine.loadStarter())
const docker = await DockerClient.fromDockerHost(`unix://${engine.socket}`)
after(() => docker.close())

const STREAM_BYTES = 200 * 1024 * 1024

async function create(script: string, spec: object = {}, name?: string): Promise<string> {
  const { Id } = await docker.containerCreate({ Image: 'starter', Cmd: ['sh', '-c', script], ...spec }, name === undefined ? {} : { name })
  return Id
}

const remove = (id: string): Promise<void> => docker.containerDelete(id, { force: true, volumes: true })

test('a container lives from create to delete', async () => {
  const id = await create('echo out; echo err >&2; exit 7', { Labels: { sdk: 'yes' } }, 'life')
  await docker.containerStart(id)
  assert.equal((await docker.containerWait(id)).StatusCode, 7)
  const { State, Name } = await docker.containerInspect(id)
  assert.deepEqual([State?.Status, State?.ExitCode, Name], ['exited', 7, '/life'])
  const out = new TextSink()
  const err = new TextSink()
  await docker.containerLogs(id, out, err, { stdout: true, stderr: true, follow: true })
  assert.deepEqual([out.text, err.text], ['out\n', 'err\n'])
  const listed = await docker.containerList({ all: true })
  assert.deepEqual(
    listed.map(({ Id, State: state }) => [Id, state]),
    [[id, 'exited']],
  )
  await docker.containerRename(id, 'other')
  await docker.containerRestart(id)
  await docker.containerWait(id)
  await docker.containerDelete(id)
  await assert.rejects(docker.containerInspect(id), (error: { name: string }) => error.name === 'NotFoundError')
})

test('attach receives both streams', async () => {
  const id = await create('read go; echo out; echo err >&2', { OpenStdin: true })
  const out = new TextSink()
  const err = new TextSink()
  const attached = docker.containerAttach(id, out, err, { stream: true, stdout: true, stderr: true })
  await docker.containerStart(id)
  engine.docker(['attach', '--no-stdin=false', id], { input: 'go\n' })
  await attached
  assert.deepEqual([out.text, err.text], ['out\n', 'err\n'])
  await remove(id)
})

test('200 MB of exec output arrive intact', async () => {
  const id = await create('exec sleep 1000')
  await docker.containerStart(id)
  const { Id } = await docker.containerExec(id, {
    Cmd: ['sh', '-c', countingCommand(STREAM_BYTES)],
    AttachStdout: true,
    AttachStderr: true,
  })
  const out = new HashSink()
  await docker.execStart(Id, out, new TextSink(), { Detach: false, Tty: false })
  assert.deepEqual([out.length, out.digest], [STREAM_BYTES, countingDigest(STREAM_BYTES)])
  const { ExitCode, Running } = await docker.execInspect(Id)
  assert.deepEqual([ExitCode, Running], [0, false])
  await remove(id)
})

test('exec with a tty and with an exit code', async () => {
  const id = await create('exec sleep 1000')
  await docker.containerStart(id)
  const out = new TextSink()
  const { Id } = await docker.containerExec(id, { Cmd: ['sh', '-c', 'test -t 1 && echo terminal; exit 6'], AttachStdout: true, Tty: true })
  await docker.execStart(Id, out, null, { Detach: false, Tty: true })
  assert.equal(out.text, 'terminal\r\n')
  assert.equal((await docker.execInspect(Id)).ExitCode, 6)
  await remove(id)
})

test('pause, kill and stop change the state', async () => {
  const id = await create('exec sleep 1000')
  await docker.containerStart(id)
  await docker.containerPause(id)
  assert.equal((await docker.containerInspect(id)).State?.Status, 'paused')
  await docker.containerUnpause(id)
  const exit = docker.containerWait(id)
  await docker.containerKill(id, { signal: 'SIGTERM' })
  await docker.containerStop(id, { timeout: 0 })
  assert.equal((await exit).StatusCode, 137)
  await remove(id)
})

test('an archive comes out', async () => {
  const id = await create('head -c 5000000 /dev/zero > /tmp/file')
  await docker.containerStart(id)
  await docker.containerWait(id)
  const out = new HashSink()
  await docker.containerArchive(id, '/tmp/file', new WritableStream<Uint8Array>({ write: (chunk) => void out.write(Buffer.from(chunk)) }))
  assert.ok(out.length > 5_000_000 && out.length < 5_010_000)
  await remove(id)
})

test('events, top, changes and stats answer', async () => {
  const events = docker.systemEvents()
  let listens = false
  const first = events.next().finally(() => (listens = true))
  // What happens before the engine has the question is not told.
  await eventually(async () => {
    await docker.volumeCreate({ Name: 'told' })
    await docker.volumeDelete('told')
    assert.ok(listens)
  })
  const id = await create('echo x > /new; exec sleep 1000')
  await docker.containerStart(id)
  const seen: (string | undefined)[] = []
  for (let next = await first; next.done !== true; next = await events.next()) {
    if (next.value.Type === 'container') seen.push(next.value.Action)
    if (seen.at(-1) === 'start') break
  }
  void events.return()
  assert.deepEqual(seen, ['create', 'start'])
  const sleeps = (process: string[]): boolean => process.join(' ').endsWith(' sleep 1000')
  await eventually(async () => assert.ok((await docker.containerTop(id)).Processes?.some(sleeps)))
  assert.ok((await docker.containerChanges(id)).some(({ Path }) => Path === '/new'))
  assert.ok(((await docker.containerStats(id, { stream: false, oneShot: true })).pids_stats?.current ?? 0) > 0)
  await remove(id)
})

test('system, volumes, networks and images answer', async () => {
  assert.equal(await docker.systemPing(), (await docker.systemVersion()).ApiVersion)
  assert.equal((await docker.systemInfo()).OSType, 'linux')
  const volume = await docker.volumeCreate({ Name: 'sdk', Labels: { a: 'b' } })
  assert.equal((await docker.volumeInspect('sdk')).Mountpoint, volume.Mountpoint)
  await docker.volumeDelete('sdk')
  assert.deepEqual(new Set((await docker.networkList()).map(({ Name }) => Name)), new Set(['bridge', 'host', 'none']))
  assert.deepEqual(
    (await docker.imageList()).flatMap(({ RepoTags }) => RepoTags),
    ['starter:latest'],
  )
  await docker.imageTag('starter', 'again', 'v2')
  assert.ok((await docker.imageInspect('again:v2')).Id?.startsWith('sha256:'))
  assert.deepEqual(await docker.imageDelete('again:v2'), [{ Untagged: 'again:v2' }])
})
