/** `gantry build` on a terminal: the display in place, and a shell in a step that failed. */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { terminalMissing, TerminalSession } from '../../cli/terminal-session.ts'
import { Engine, ROOT } from '../../harness/index.ts'

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

test('a running build shows its steps, their times and last lines, and at last all of them', options, async () => {
  await using terminal = session('shown', 'FROM starter\nRUN for i in 1 2 3 4 5 6; do echo line $i; sleep 0.2; done\n')
  await terminal.expect('[+] Building')
  await terminal.expect('=> [2/2] RUN for i in')
  await terminal.expect('=> => # line 3')
  await terminal.expect('FINISHED')
  await terminal.expect('=> [2/2] RUN for i in')
  await terminal.expect('=> exporting to image')
  assert.equal(await terminal.status(), 0)
})

test('--debug gives a terminal in the step, which knows its size', options, async () => {
  await using terminal = session('debugged', 'FROM starter\nRUN mkdir /made\nRUN ls /made/nothing\n', '--debug')
  await terminal.expect('entering the state before: /bin/sh -c ls /made/nothing')
  terminal.type('ls -d /made && stty size && tty\r')
  await terminal.expect('/made\r\n30 100\r\n/dev/pts/0')
  terminal.resize(40, 120)
  terminal.type('sleep 0.5; stty size; exit 5\r')
  await terminal.expect('40 120')
  assert.equal(await terminal.status(), 1)
})
