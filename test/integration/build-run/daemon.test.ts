/** Steps through the daemon: mounts and networks as a Dockerfile asks for them, and what a killed daemon leaves. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { Engine, eventually, ROOT } from '../../harness/index.ts'

/** Nobody else sleeps for that long. */
const SECONDS = `4711${process.pid}`

/** Processes of steps; they have mount namespaces of their own. */
function sleepers(): number {
  return readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && commandOf(pid) === `sleep ${SECONDS}`).length
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1).join(' ')
  } catch {
    return '' // It has just ended.
  }
}

const SKIP = process.getuid?.() === 0 ? false : 'needs root'

suite('steps of a build', { skip: SKIP }, () => {
  let engine: Engine
  before(async () => {
    engine = await Engine.start()
    engine.loadStarter()
  })
  after(() => engine?.[Symbol.asyncDispose]())

  function project(name: string, dockerfile: string, files: Readonly<Record<string, string>> = {}): string {
    const directory = join(engine.directory, name)
    mkdirSync(directory, { recursive: true })
    for (const [path, text] of Object.entries({ ...files, Dockerfile: dockerfile })) writeFileSync(join(directory, path), text)
    return directory
  }

  function build(...args: string[]): string {
    const { status, stdout, stderr } = engine.gantry(['build', '--progress', 'plain', ...args])
    assert.equal(status, 0, stderr + stdout)
    return stderr + stdout
  }

  /** Paths that the newest layer of an image has. */
  function newest(image: string): string[] {
    const made = engine.mustDocker('run', '-d', image, 'sleep', '0')
    const [layer = ''] = JSON.parse(engine.mustDocker('inspect', '-f', '{{json .GraphDriver.Data.LowerDir}}', made))
      .split(':')
      .slice(1)
    engine.mustDocker('rm', '-f', made)
    return readdirSync(layer, { recursive: true }).map(String).sort()
  }

  test('see what their mounts show, and their layer tells of none of them', () => {
    const directory = project(
      'mounts',
      [
        'FROM starter AS tools',
        'RUN mkdir -p /out && echo tool > /out/tool',
        'FROM starter',
        'WORKDIR /work',
        'RUN --mount=type=bind,target=/ctx --mount=type=bind,from=tools,source=/out/tool,target=/opt/tool \\',
        '    --mount=type=cache,target=/root/.cache --mount=type=tmpfs,target=/scratch \\',
        '    cat /ctx/file /opt/tool > /work/made && touch /root/.cache/x /scratch/y',
      ].join('\n'),
      { file: 'context\n' },
    )
    build('-t', 'mounted', directory)
    assert.equal(engine.mustDocker('run', '--rm', 'mounted', 'cat', '/work/made'), 'context\ntool')
    assert.deepEqual(newest('mounted'), ['work', 'work/made'])
  })

  test('keep their caches from one build to the next, and prune deletes them', () => {
    const dockerfile = (line: string): string => `FROM starter\nRUN --mount=type=cache,target=/c ${line}\n`
    build(project('cache', dockerfile('echo first >> /c/log')))
    const again = build(project('cache', dockerfile('cat /c/log')))
    assert.match(again, /first/)
    const records = engine.mustDocker('system', 'df', '-v', '--format', '{{json .BuildCache}}')
    assert.match(records, /exec.cachemount/)
    engine.mustDocker('builder', 'prune', '-af')
    assert.doesNotMatch(engine.mustDocker('system', 'df', '-v', '--format', '{{json .BuildCache}}'), /exec.cachemount/)
    assert.doesNotMatch(build(project('cache', dockerfile('ls -A /c && echo none'))), /\d log/)
  })

  test('have the network that is asked for, one of the user’s too', () => {
    engine.mustDocker('network', 'create', 'app')
    engine.mustDocker('run', '-d', '--name', 'db', '--network', 'app', 'starter', 'sleep', '100')
    const directory = project(
      'network',
      'FROM starter\nARG again\nRUN ping -c 1 db | grep received\nRUN --network=none ip -o link | wc -l\n',
    )
    const text = build('--network', 'app', directory)
    assert.match(text, /1 packets received/)
    assert.match(text, /\n#\d+ [\d.]+ 1\n/)
    engine.mustDocker('rm', '-f', 'db')
    engine.mustDocker('network', 'rm', 'app')
  })

  /** A build whose step sleeps, by a client that waits for it. */
  async function sleepingBuild(): Promise<{ ended: Promise<unknown> }> {
    const directory = project(
      'sleeping',
      `FROM starter\nRUN --mount=type=cache,target=/c (sleep ${SECONDS} & sleep ${SECONDS} &); sleep ${SECONDS}\n`,
    )
    const client = spawn(join(ROOT, 'bin/gantry'), ['build', directory], {
      env: { ...process.env, DOCKER_HOST: `unix://${engine.socket}` },
      stdio: 'ignore',
    })
    const ended = once(client, 'exit')
    await eventually(() => assert.ok(sleepers() >= 3 || client.exitCode !== null))
    return { ended }
  }

  async function nothingIsLeft(): Promise<void> {
    await eventually(() => {
      assert.equal(sleepers(), 0)
      const steps = join(engine.execRoot, 'steps')
      assert.deepEqual(existsSync(steps) ? readdirSync(steps) : [], [])
      assert.deepEqual(readdirSync(join(engine.dataRoot, 'snapshots')), [])
    })
  }

  test('end with a daemon that is stopped', async () => {
    const { ended } = await sleepingBuild()
    await engine.stopDaemon()
    await ended
    await nothingIsLeft()
    await engine.startDaemon()
  })

  test('that a killed daemon has left are ended by the next one', async () => {
    const { ended } = await sleepingBuild()
    await engine.stopDaemon('SIGKILL')
    await ended
    assert.ok(sleepers() >= 3, 'the steps go on without the daemon')
    await engine.startDaemon()
    await nothingIsLeft()
    build(project('after', 'FROM starter\nRUN ip -o -4 addr show eth0\n'))
  })
})
