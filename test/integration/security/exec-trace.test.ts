/** Who may trace, in a container, gets hold of the processes of an exec at their first instant. What it finds there must be the container's. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { Engine } from '../../harness/index.ts'

const SKIP = process.getuid?.() === 0 ? false : 'needs root'
const WATCHED_MS = 1500

suite('a tracer in a container', { skip: SKIP }, () => {
  let engine: Engine
  let tracer: string

  before(async () => {
    engine = await Engine.start()
    engine.loadStarter()
    tracer = join(engine.directory, 'trace-newcomers')
    const source = join(import.meta.dirname, 'testdata/trace-newcomers.c')
    const made = spawnSync('musl-gcc', ['-static', '-O2', '-o', tracer, source], { encoding: 'utf8' })
    assert.equal(made.status, 0, made.stderr)
  })
  after(() => engine[Symbol.asyncDispose]())

  /** Execs into a container of `options` while the tracer runs in it: the names it caught, and what else it reported. */
  async function attacked(...options: string[]): Promise<{ caught: string[]; found: string[] }> {
    const id = engine.mustDocker('run', '-d', '-v', `${tracer}:/tracer`, ...options, 'starter', 'sleep', '1000')
    const watching = spawn('docker', ['-H', `unix://${engine.socket}`, 'exec', id, '/tracer', String(WATCHED_MS)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const ended = once(watching, 'close')
    let output = ''
    watching.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
    await once(watching.stdout, 'data')
    while (watching.exitCode === null) {
      const { json } = await engine.request('POST', `/containers/${id}/exec`, { Cmd: ['true'] })
      await engine.request('POST', `/exec/${json.Id}/start`, { Detach: true })
    }
    await ended
    engine.mustDocker('rm', '-f', id)
    const lines = output.split('\n').slice(1, -1)
    const names = lines.filter((line) => line.startsWith('caught '))
    return { caught: names.map((line) => line.slice('caught '.length)), found: lines.filter((line) => !names.includes(line)) }
  }

  const OURS = 'gantry-child'

  for (const options of [[], ['--security-opt', 'no-new-privileges'], ['--user', '33:33'], ['--security-opt', 'seccomp=unconfined']]) {
    test(`with CAP_SYS_PTRACE ${options.join(' ')} finds nothing of the host in what it catches`, async () => {
      const { caught, found } = await attacked('--cap-add', 'SYS_PTRACE', ...options)
      assert.deepEqual([...new Set(found)], [])
      // As another user it has no capabilities; then the process is not to be had.
      if (!options.includes('--user')) assert.ok(caught.includes(OURS), `only ${caught.length} were caught, none before its program ran`)
    })
  }

  test('without CAP_SYS_PTRACE catches none before its program runs', async () => {
    const { caught, found } = await attacked()
    assert.ok(!caught.includes(OURS))
    assert.deepEqual(found, [])
  })
})
