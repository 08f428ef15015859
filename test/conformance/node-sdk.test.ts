/** `@docker/node-sdk`, Docker's own SDK for Node, on a live engine. */
import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { after, test } from 'node:test'
import { DockerClient } from '@docker/node-sdk'
import { Engine } from '../harness/index.ts'
import { tar } from '../harness/tar.ts'
import { countingCommand, countingDigest, HashSink, TextSink } from './collect.ts'

const engine = await Engine.start()
after(() => engine[Symbol.asyncDispose]())
engine.loadStarter()
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
  const exit = docker.containerWait(id, { condition: 'next-exit' })
  await docker.containerStart(id)
  assert.equal((await exit).StatusCode, 7)
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
  await assert.rejects(docker.containerInspect(id), /No such container/)
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

test('pause, update, kill and stop change the state', async () => {
  const id = await create('exec sleep 1000')
  await docker.containerStart(id)
  await docker.containerPause(id)
  assert.equal((await docker.containerInspect(id)).State?.Status, 'paused')
  await docker.containerUnpause(id)
  await docker.containerUpdate(id, { Memory: 64 * 1024 * 1024, MemorySwap: 128 * 1024 * 1024 })
  assert.equal((await docker.containerInspect(id)).HostConfig?.Memory, 64 * 1024 * 1024)
  const exit = docker.containerWait(id)
  await docker.containerKill(id, { signal: 'SIGTERM' })
  await docker.containerStop(id, { timeout: 0 })
  assert.equal((await exit).StatusCode, 137)
  await remove(id)
})

test('archives go in and come out', async () => {
  const id = await create('exec sleep 1000')
  const archive = tar([{ name: 'file', data: Buffer.alloc(5_000_000, 'z') }])
  await docker.putContainerArchive(id, '/tmp', Readable.from([archive]))
  const info = await docker.containerArchiveInfo(id, '/tmp/file')
  assert.deepEqual([info.name, info.size], ['file', 5_000_000])
  const out = new HashSink()
  const writable = new WritableStream<Uint8Array>({ write: (chunk) => void out.write(Buffer.from(chunk)) })
  await docker.containerArchive(id, '/tmp/file', writable)
  assert.ok(out.length >= 5_000_000 && out.length < 5_010_000)
  await remove(id)
})

test('events, top, changes and stats answer', async () => {
  const events = docker.systemEvents({ since: '0', until: String(Math.floor(Date.now() / 1000) + 3) })
  const id = await create('echo x > /new; exec sleep 1000')
  await docker.containerStart(id)
  const seen: string[] = []
  for await (const event of events) {
    if (event.Actor?.ID !== id) continue
    seen.push(event.Action ?? '')
    if (event.Action === 'start') break
  }
  assert.deepEqual(seen, ['create', 'start'])
  assert.ok((await docker.containerTop(id)).Processes?.some((process) => process.join(' ').includes('sleep 1000')))
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
  assert.equal((await docker.imageHistory('again:v2')).length, 1)
  assert.deepEqual(await docker.imageDelete('again:v2'), [{ Untagged: 'again:v2' }])
})

test('errors are the classes that callers catch', async () => {
  const id = await create('exit 0', {}, 'taken')
  await assert.rejects(create('exit 0', {}, 'taken'), { name: 'ConflictError' })
  await assert.rejects(docker.imageInspect('absent'), { name: 'NotFoundError' })
  await remove(id)
})
