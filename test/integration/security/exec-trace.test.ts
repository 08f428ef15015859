/** Who may trace, in a container, gets hold of the processes of an exec at their first instant. What it finds there must be the container's. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { Engine } from '../../harness/index.ts'

const SKIP = process.getuid?.() === 0 ? false : 'needs root'
/** Of processes caught before their program runs: after so many the attack has been tried. */
const ENOUGH = 5
const OURS = 'gantry-child'

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

  /** Execs into a container of `options` while the tracer runs in it, so long at most: the names it caught, and what else it reported. */
  async function attacked(milliseconds: number, ...options: string[]): Promise<{ caught: string[]; found: string[] }> {
    const id = engine.mustDocker('run', '-d', '-v', `${tracer}:/tracer`, ...options, 'starter', 'sleep', '1000')
    const watching = spawn('docker', ['-H', `unix://${engine.socket}`, 'exec', id, '/tracer', String(milliseconds), String(ENOUGH)], {
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

  for (const options of [[], ['--security-opt', 'no-new-privileges'], ['--security-opt', 'seccomp=unconfined'], ['--init']]) {
    test(`with CAP_SYS_PTRACE ${options.join(' ')} finds nothing of the host in what it catches`, async () => {
      const { caught, found } = await attacked(20_000, '--cap-add', 'SYS_PTRACE', ...options)
      assert.deepEqual([...new Set(found)], [])
      assert.ok(caught.includes(OURS), `${caught.length} were caught, none before its program ran`)
    })
  }

  // A user but root has no capabilities, whatever was added.
  for (const options of [[], ['--user', '33:33', '--cap-add', 'SYS_PTRACE']]) {
    test(`without CAP_SYS_PTRACE ${options.join(' ')} catches none before its program runs`, async () => {
      const { caught, found } = await attacked(1500, ...options)
      assert.ok(!caught.includes(OURS))
      assert.deepEqual(found, [])
    })
  }
})
