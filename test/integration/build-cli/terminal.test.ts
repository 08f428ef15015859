/** `gantry build` on a terminal: the display in place, and a shell in a step that failed. */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { terminalMissing, TerminalSession } from '../../cli/terminal-session.ts'
import { Engine, ROOT } from '../../harness/index.ts'
import { stepProcesses } from '../build/build-client.ts'

let engine: Engine
before(async () => {
  engine = await Engine.start()
  engine.loadStarter()
})
after(() => engine?.[Symbol.asyncDispose]())

const options = { skip: terminalMissing() ?? false }

function session(name: string, dockerfile: string, ...args: string[]): TerminalSession {
  const directory = join(engine.directory, name)
  mkdirSync(directory)
  writeFileSync(join(directory, 'Dockerfile'), dockerfile)
  return new TerminalSession([join(ROOT, 'bin/gantry'), 'build', ...args, directory], {
    DOCKER_HOST: `unix://${engine.socket}`,
    TERM: 'xterm',
  })
}

/** Kills the program of a step by its command line, which nobody else has. */
function end(command: string): void {
  const { pid } = stepProcesses(engine).find((found) => found.command === command) ?? assert.fail(`${command} does not run`)
  process.kill(pid, 'SIGKILL')
}

test('a running build shows its steps, their times and last lines, and at last all of them', options, async () => {
  const seconds = `31${process.pid}`
  await using terminal = session('shown', `FROM starter\nRUN for i in 1 2 3; do echo line $i; done; sleep ${seconds} || true\n`)
  await terminal.expect('[+] Building')
  await terminal.expect('=> [2/2] RUN for i in')
  await terminal.expect('=> => # line 3')
  end(`sleep ${seconds}`)
  await terminal.expect('FINISHED')
  await terminal.expect('=> [2/2] RUN for i in')
  await terminal.expect('=> exporting to image')
  assert.equal(await terminal.status(), 0)
})

test('--debug gives a terminal in the step, which knows its size', options, async () => {
  await using terminal = session('debugged', 'FROM starter\nRUN mkdir /made\nRUN ls /made/nothing\n', '--debug')
  await terminal.expect('entering the state before: /bin/sh -c ls /made/nothing')
  await terminal.expect('# ') // the prompt: what is typed before it is lost when the terminal changes its mode
  terminal.type('ls -d /made && stty size && tty\r')
  await terminal.expect('/made\r\n30 100\r\n/dev/pts/0')
  await terminal.expect('# ')
  terminal.resize(40, 120)
  terminal.type("until stty size | grep -q '^40 120'; do sleep 0.1; done; echo it is' 'so; exit 5\r")
  await terminal.expect('it is so')
  assert.equal(await terminal.status(), 1)
})
