/** dockerode, the SDK most Node programs use, on a live engine. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import type { Duplex, Readable } from 'node:stream'
import { PassThrough } from 'node:stream'
import { finished, pipeline } from 'node:stream/promises'
import { after, before, test } from 'node:test'
import Docker from 'dockerode'
import { Engine, eventually } from '../harness/index.ts'
import { tar } from '../harness/tar.ts'
import { counting, countingCommand, countingDigest, HashSink, TextSink } from './collect.ts'

const engine = await Engine.start()
after(() => engine[Symbol.asyncDispose]())
// In a hook, as everything that may fail: what throws beside the tests runs no hooks, and the engine would stay.
before(() => engine.loadStarter())
const docker = new Docker({ socketPath: engine.socket })

const STREAM_BYTES = 200 * 1024 * 1024
/** A frame per line: it is the client that takes its time. */
const LOG_BYTES = 20 * 1024 * 1024

function create(command: string[], options: Docker.ContainerCreateOptions = {}): Promise<Docker.Container> {
  return docker.createContainer({ Image: 'starter', Cmd: command, ...options })
}

async function run(command: string[], options: Docker.ContainerCreateOptions = {}): Promise<Docker.Container> {
  const container = await create(command, options)
  await container.start()
  return container
}

const sh = (script: string): string[] => ['sh', '-c', script]

/** Attaches before the start, so that no output is missed; `ended` resolves when both streams are complete. */
async function attachAndStart(container: Docker.Container, stdout: NodeJS.WritableStream, stderr: NodeJS.WritableStream): Promise<Duplex> {
  const stream = (await container.attach({ stream: true, stdin: true, stdout: true, stderr: true, hijack: true })) as Duplex
  docker.modem.demuxStream(stream, stdout, stderr)
  await container.start()
  return stream
}

async function remove(container: Docker.Container): Promise<void> {
  await container.remove({ force: true, v: true })
}

async function fails(work: Promise<unknown>, status: number, text: RegExp): Promise<void> {
  await assert.rejects(work, (error: { statusCode?: number; message: string }) => {
    assert.equal(error.statusCode, status)
    assert.match(error.message, text)
    return true
  })
}

test('a container lives from create to remove', async () => {
  const container = await docker.createContainer({
    Image: 'starter',
    name: 'life',
    Cmd: sh('echo out; echo err >&2; exit 7'),
    Labels: { a: 'b' },
  })
  const created = await container.inspect()
  assert.deepEqual([created.State.Status, created.Name, created.Config.Labels['a']], ['created', '/life', 'b'])
  const exit = container.wait({ condition: 'next-exit' })
  await container.start()
  assert.deepEqual((await exit).StatusCode, 7)
  const { State } = await container.inspect()
  assert.deepEqual([State.Status, State.Running, State.ExitCode], ['exited', false, 7])
  const out = new TextSink()
  const err = new TextSink()
  const logs = (await container.logs({ stdout: true, stderr: true, follow: true })) as unknown as Readable
  docker.modem.demuxStream(logs, out, err)
  await finished(logs)
  assert.deepEqual([out.text, err.text], ['out\n', 'err\n'])
  await container.rename({ name: 'renamed' })
  const listed = await docker.listContainers({ all: true, filters: { label: ['a=b'] } })
  assert.deepEqual(
    listed.map(({ Names, State: state }) => [Names, state]),
    [[['/renamed'], 'exited']],
  )
  await container.restart()
  await container.wait()
  await container.remove()
  await fails(container.inspect(), 404, /No such container/)
})

test('attach without tty keeps stdout and stderr apart and closes stdin', async () => {
  const container = await create(sh('cat; echo done >&2'), { OpenStdin: true, StdinOnce: true, AttachStdin: true })
  const out = new TextSink()
  const err = new TextSink()
  const stream = await attachAndStart(container, out, err)
  stream.end('through\n')
  assert.equal((await container.wait()).StatusCode, 0)
  if (!stream.readableEnded) await once(stream, 'end')
  assert.deepEqual([out.text, err.text], ['through\n', 'done\n'])
  await remove(container)
})

test('attach with tty is one raw stream and follows resize', async () => {
  const container = await create(sh('read line; stty size; echo "$line"'), { Tty: true, OpenStdin: true, AttachStdin: true })
  const stream = (await container.attach({ stream: true, stdin: true, stdout: true, stderr: true, hijack: true })) as Duplex
  const out = new TextSink()
  stream.pipe(out)
  await container.start()
  await container.resize({ h: 33, w: 77 })
  stream.write('typed\n')
  await container.wait()
  if (!stream.readableEnded) await once(stream, 'end')
  assert.match(out.text, /33 77\r\ntyped\r\n/)
  await remove(container)
})

test('exec gives output, exit code and stdin', async () => {
  const container = await run(['sleep', '1000'])
  const exec = await container.exec({
    Cmd: sh('cat; echo err >&2; exit 5'),
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
    Env: ['X=1'],
  })
  const stream = await exec.start({ hijack: true, stdin: true })
  const out = new TextSink()
  const err = new TextSink()
  docker.modem.demuxStream(stream, out, err)
  stream.end('to exec')
  await once(stream, 'end')
  assert.deepEqual([out.text, err.text], ['to exec', 'err\n'])
  const { ExitCode, Running } = await exec.inspect()
  assert.deepEqual([ExitCode, Running], [5, false])

  const terminal = await container.exec({ Cmd: sh('test -t 1 && echo terminal'), AttachStdout: true, Tty: true })
  const raw = await terminal.start({ hijack: true, stdin: false, Tty: true })
  const text = new TextSink()
  raw.pipe(text)
  await once(raw, 'end')
  assert.equal(text.text, 'terminal\r\n')
  await remove(container)
})

test('200 MB of output arrive intact', async () => {
  const container = await create(sh(countingCommand(STREAM_BYTES)))
  const out = new HashSink()
  const stream = await attachAndStart(container, out, new TextSink())
  await container.wait()
  if (!stream.readableEnded) await once(stream, 'end')
  assert.deepEqual([out.length, out.digest], [STREAM_BYTES, countingDigest(STREAM_BYTES)])
  await remove(container)
})

test('200 MB of input arrive intact', async () => {
  const container = await run(['sleep', '1000'])
  const exec = await container.exec({ Cmd: ['sha256sum'], AttachStdin: true, AttachStdout: true, AttachStderr: true })
  const stream = await exec.start({ hijack: true, stdin: true })
  const out = new TextSink()
  docker.modem.demuxStream(stream, out, out)
  const ended = once(stream, 'end')
  await pipeline(counting(STREAM_BYTES), new PassThrough(), stream)
  await ended
  assert.equal(out.text.split(' ')[0], countingDigest(STREAM_BYTES))
  await remove(container)
})

test('a log of many lines reads back intact', async () => {
  const container = await run(sh(countingCommand(LOG_BYTES)))
  await container.wait()
  const out = new HashSink()
  const logs = (await container.logs({ stdout: true, stderr: true, follow: true })) as unknown as Readable
  docker.modem.demuxStream(logs, out, new TextSink())
  await finished(logs)
  assert.deepEqual([out.length, out.digest], [LOG_BYTES, countingDigest(LOG_BYTES)])
  await remove(container)
})

test('logs follow, and keep to tail, since and timestamps', async () => {
  const container = await run(sh('for i in 1 2 3 4 5; do echo line $i; sleep 0.2; done'))
  const follower = (await container.logs({ stdout: true, stderr: true, follow: true })) as unknown as Readable
  const live = new TextSink()
  docker.modem.demuxStream(follower, live, live)
  await finished(follower)
  assert.equal(live.text, [1, 2, 3, 4, 5].map((i) => `line ${i}\n`).join(''))

  const read = async (options: Docker.ContainerLogsOptions): Promise<string[]> => {
    const frames = await container.logs({ stdout: true, stderr: true, ...options, follow: false })
    const lines: string[] = []
    for (let at = 0; at < frames.length; at += 8 + frames.readUInt32BE(at + 4))
      lines.push(frames.toString('utf8', at + 8, at + 8 + frames.readUInt32BE(at + 4)).trimEnd())
    return lines
  }
  assert.deepEqual(await read({ tail: 2 }), ['line 4', 'line 5'])
  const stamped = await read({ timestamps: true })
  const [third = ''] = (stamped[2] ?? '').split(' ')
  assert.match(third, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/)
  const seconds = `${Math.floor(Date.parse(third) / 1000)}.${third.slice(20, 29)}`
  assert.deepEqual(await read({ since: seconds }), ['line 3', 'line 4', 'line 5'])
  assert.deepEqual(await read({ until: seconds }), ['line 1', 'line 2', 'line 3'])
  await remove(container)
})

test('signals end containers with their codes', async () => {
  const killed = await run(['sleep', '1000'])
  const exit = killed.wait()
  await killed.kill({ signal: 'SIGKILL' })
  assert.equal((await exit).StatusCode, 137)

  const handled = await run(sh('trap "exit 9" USR1; echo ready; while :; do sleep 0.05; done'))
  const ready = (await handled.logs({ stdout: true, follow: true })) as unknown as Readable
  await once(ready, 'data')
  const code = handled.wait()
  await handled.kill({ signal: 'SIGUSR1' })
  assert.equal((await code).StatusCode, 9)

  const stubborn = await run(sh('trap "" TERM; echo ready; while :; do sleep 0.05; done'))
  await once((await stubborn.logs({ stdout: true, follow: true })) as unknown as Readable, 'data')
  await stubborn.stop({ t: 1 })
  assert.equal((await stubborn.inspect()).State.ExitCode, 137)
  for (const container of [killed, handled, stubborn]) await remove(container)
})

test('100 containers run at once', async () => {
  const numbers = Array.from({ length: 100 }, (_, index) => index)
  const containers = await Promise.all(
    numbers.map((number) => create(sh(`read go; exit ${number}`), { OpenStdin: true, Labels: { crowd: '' } })),
  )
  await Promise.all(containers.map((container) => container.start()))
  assert.equal((await docker.listContainers({ filters: { label: ['crowd'], status: ['running'] } })).length, 100)
  const codes = await Promise.all(
    containers.map(async (container) => {
      const exit = container.wait()
      const stdin = (await container.attach({ stream: true, stdin: true, hijack: true })) as Duplex
      stdin.write('go\n')
      const { StatusCode } = await exit
      stdin.destroy()
      return StatusCode
    }),
  )
  assert.deepEqual(codes, numbers)
  await Promise.all(containers.map(remove))
  assert.deepEqual(await docker.listContainers({ all: true, filters: { label: ['crowd'] } }), [])
})

test('events tell the life of a container in order', async () => {
  const stream = (await docker.getEvents({ filters: { type: ['container'], label: ['watched'] } })) as unknown as Readable
  const seen: { Action: string; Actor: { ID: string; Attributes: Record<string, string> } }[] = []
  let rest = ''
  stream.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString()).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) if (line.trim() !== '') seen.push(JSON.parse(line) as (typeof seen)[number])
  })
  const container = await run(sh('exit 3'), { Labels: { watched: 'yes' }, name: 'watched' })
  await container.wait()
  await container.remove()
  while (seen.at(-1)?.Action !== 'destroy') await once(stream, 'data')
  ;(stream as Readable & { destroy(): void }).destroy()
  assert.deepEqual(
    seen.map(({ Action }) => Action),
    ['create', 'start', 'die', 'destroy'],
  )
  const { Actor } = seen[2] ?? assert.fail()
  assert.deepEqual(
    [Actor.ID, Actor.Attributes['exitCode'], Actor.Attributes['image'], Actor.Attributes['name']],
    [container.id, '3', 'starter', 'watched'],
  )
})

test('archives go in and come out, of running and stopped containers', async () => {
  const container = await create(['sleep', '1000'])
  const archive = tar([
    { name: 'dir', type: 'directory', mode: 0o750 },
    { name: 'dir/file', data: Buffer.from('content'), mode: 0o640 },
    { name: 'dir/link', type: 'symlink', link: 'file' },
  ])
  for (const state of ['stopped', 'running']) {
    if (state === 'running') await container.start()
    await container.putArchive(archive, { path: '/root' })
    const out = await container.getArchive({ path: '/root/dir' })
    const chunks: Buffer[] = []
    for await (const chunk of out) chunks.push(chunk as Buffer)
    const list = spawnSync('tar', ['-tv', '--numeric-owner'], { input: Buffer.concat(chunks), encoding: 'utf8' }).stdout.split('\n')
    assert.deepEqual(
      list.filter(Boolean).map((line) => [line.split(' ')[0], line.split(/ \d\d:\d\d /)[1]]),
      [
        ['drwxr-x---', 'dir/'],
        ['-rw-r-----', 'dir/file'],
        ['lrwxrwxrwx', 'dir/link -> file'],
      ],
      state,
    )
    const info = (await container.infoArchive({ path: '/root/dir/link' })) as unknown as { headers: Record<string, string> }
    const stat = JSON.parse(Buffer.from(info.headers['x-docker-container-path-stat'] ?? '', 'base64').toString()) as Record<string, unknown>
    assert.deepEqual([stat['name'], stat['linkTarget']], ['link', '/root/dir/file'])
  }
  await fails(container.getArchive({ path: '/missing' }), 404, /Could not find the file \/missing in container/)
  await fails(container.putArchive(archive, { path: '/etc/passwd' }), 400, /extraction point is not a directory/)
  await remove(container)
})

test('top, stats, changes, commit and export agree with what runs', async () => {
  const container = await run(sh('echo new > /added; rm /etc/shadow; exec sleep 1000'))
  await eventually(async () => {
    const { Titles, Processes } = (await container.top()) as { Titles: string[]; Processes: string[][] }
    assert.equal(Processes[0]?.[Titles.indexOf('CMD')], 'sleep 1000')
  })
  assert.deepEqual(await container.changes(), [
    { Path: '/added', Kind: 1 },
    { Path: '/etc', Kind: 0 },
    { Path: '/etc/shadow', Kind: 2 },
  ])
  const stats = await container.stats({ stream: false })
  assert.ok(stats.memory_stats.usage > 0 && stats.cpu_stats.cpu_usage.total_usage > 0 && stats.pids_stats?.current === 1)
  const { Id } = (await container.commit({ repo: 'committed', tag: 'v1', changes: 'ENV ADDED=1' })) as { Id: string }
  const image = await docker.getImage('committed:v1').inspect()
  assert.equal(image.Id, Id)
  assert.ok(image.Config.Env?.includes('ADDED=1'))
  const [result] = await docker.run('committed:v1', sh('cat /added; test -e /etc/shadow; exit $?'), new TextSink(), {
    HostConfig: { AutoRemove: true },
  })
  assert.equal(result.StatusCode, 1)
  const exported = await container.export()
  const chunks: Buffer[] = []
  for await (const chunk of exported) chunks.push(chunk as Buffer)
  const names = spawnSync('tar', ['-t'], { input: Buffer.concat(chunks), encoding: 'utf8', maxBuffer: 1 << 26 }).stdout.split('\n')
  assert.ok(names.includes('added') && names.includes('etc/passwd') && !names.includes('etc/shadow'))
  await remove(container)
  await docker.getImage('committed:v1').remove()
})

test("errors have Docker's status and text", async () => {
  const container = await run(['sleep', '1000'], { name: 'taken' })
  await fails(create(['true'], { name: 'taken' }), 409, /The container name "\/taken" is already in use by container/)
  await fails(container.start(), 304, /./)
  await fails(container.remove(), 409, /container is running/)
  await fails(docker.createContainer({ Image: 'absent:image' }), 404, /No such image: absent:image/)
  await fails(run(['/no/such/program']), 400, /no such file or directory/)
  await fails(docker.listContainers({ filters: JSON.stringify({ colour: ['red'] }) }), 400, /invalid filter 'colour'/)
  await remove(container)
})
