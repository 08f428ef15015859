/** Our CLI at a terminal, with a real engine: raw mode, sizes, detach keys, signals, prompts. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { Engine } from '../harness/index.ts'
import { GANTRY, gantryMissing } from './program.ts'
import { TerminalSession, terminalMissing } from './terminal-session.ts'

const CTRL_C = '\x03'
const CTRL_D = '\x04'
const DETACH = '\x10\x11'
const PROMPT = '/ # '

const reason = gantryMissing() ?? terminalMissing() ?? (process.getuid?.() === 0 ? undefined : 'needs root')

describe('gantry at a terminal', { skip: reason ?? false }, () => {
  let engine: Engine
  before(async () => {
    engine = await Engine.start()
    engine.loadStarter()
  })
  after(() => engine[Symbol.asyncDispose]())

  function session(...args: string[]): TerminalSession {
    return new TerminalSession([GANTRY, ...args], { DOCKER_HOST: `unix://${engine.socket}`, GANTRY_PROGRAM: 'gantry' })
  }

  function remove(name: string): void {
    engine.docker(['rm', '-f', name])
  }

  it('run -it has the size of the terminal, follows it, and ends with the status', async () => {
    await using terminal = session('run', '-it', '--rm', 'starter', 'sh')
    await terminal.expect(PROMPT)
    terminal.type('stty size\n')
    await terminal.expect('30 100')
    await terminal.expect(PROMPT)
    terminal.resize(40, 120)
    terminal.type("until stty size | grep -q '^40 120'; do sleep 0.1; done; echo it is' 'so\n")
    await terminal.expect('it is so')
    await terminal.expect(PROMPT)
    terminal.type('exit 5\n')
    assert.equal(await terminal.status(), 5)
    assert.ok(!terminal.output.includes('\r\r\n'), 'the terminal adds nothing to what the container writes')
  })

  it('ctrl-c goes to the program in the container', async () => {
    await using terminal = session('run', '-it', '--rm', 'starter', 'sh')
    await terminal.expect(PROMPT)
    terminal.type("sh -c 'echo it run''s; exec sleep 100'\n")
    await terminal.expect('it runs')
    terminal.type(CTRL_C)
    await terminal.expect(PROMPT)
    terminal.type('echo status=$?\n')
    await terminal.expect('status=130')
    await terminal.expect(PROMPT) // an end of file that comes before it is lost when the shell leaves canonical mode
    terminal.type(CTRL_D)
    assert.equal(await terminal.status(), 0)
  })

  it('the detach keys leave the container running, and attach comes back to it', async () => {
    await using first = session('run', '-it', '--name', 'kept', 'starter', 'sh')
    await first.expect(PROMPT)
    first.type('x=42\n')
    await first.expect(PROMPT)
    first.type(DETACH)
    assert.equal(await first.status(), 0)
    await using second = session('attach', 'kept')
    await second.expect(PROMPT)
    second.type('echo x is $x\n')
    await second.expect('x is 42')
    await second.expect(PROMPT)
    second.type('exit 3\n')
    assert.equal(await second.status(), 3)
    remove('kept')
  })

  it('detach keys can be chosen', async () => {
    await using terminal = session('run', '-it', '--name', 'own', '--detach-keys', 'ctrl-a,d', 'starter', 'sh')
    await terminal.expect(PROMPT)
    terminal.type('\x01d')
    assert.equal(await terminal.status(), 0)
    remove('own')
  })

  it('exec -it has a terminal of its own', async () => {
    engine.docker(['run', '-d', '--name', 'base', 'starter', 'sleep', '1000'])
    await using terminal = session('exec', '-it', 'base', 'sh')
    await terminal.expect(PROMPT)
    terminal.type('stty size; tty\n')
    await terminal.expect('30 100')
    await terminal.expect('/dev/pts/')
    await terminal.expect(PROMPT)
    terminal.type('exit 7\n')
    assert.equal(await terminal.status(), 7)
    await using detached = session('exec', '-it', 'base', 'sh')
    await detached.expect(PROMPT)
    detached.type(DETACH)
    assert.equal(await detached.status(), 1)
    await detached.expect('read escape sequence')
    remove('base')
  })

  it('signals go to a container without a terminal', async () => {
    const script = "trap 'echo got it; exit 9' INT; echo ready; while true; do sleep 0.1; done"
    await using terminal = session('run', '--rm', 'starter', 'sh', '-c', script)
    await terminal.expect('ready')
    terminal.type(CTRL_C)
    await terminal.expect('got it')
    assert.equal(await terminal.status(), 9)
  })

  it('stats draws over the screen until it is interrupted', async () => {
    engine.docker(['run', '-d', '--name', 'busy', 'starter', 'sleep', '1000'])
    await using terminal = session('stats')
    await terminal.expect('\x1b[H')
    await terminal.expect('busy')
    await terminal.expect('\x1b[H')
    terminal.type(CTRL_C)
    assert.equal(await terminal.status(), 130)
    remove('busy')
  })

  it('prune asks first', async () => {
    engine.docker(['run', '--name', 'old', 'starter', 'true'])
    await using no = session('container', 'prune')
    await no.expect('[y/N] ')
    no.type('n\n')
    assert.equal(await no.status(), 0)
    assert.match(engine.docker(['ps', '-a', '--format', '{{.Names}}']).stdout, /old/)
    await using yes = session('container', 'prune')
    await yes.expect('[y/N] ')
    yes.type('y\n')
    await yes.expect('Deleted Containers:')
    assert.equal(await yes.status(), 0)
  })
})
