/** Errors as buildx shows them: the text, and the place in the Dockerfile. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { test } from 'node:test'
import { withEachBuildx } from './buildx.ts'
import { eventually } from '../../harness/eventually.ts'

withEachBuildx((buildx) => {
  const failed = (dockerfile: string, ...args: string[]): string => {
    const { status, stderr } = buildx().run(['build', ...args, buildx().project({ Dockerfile: dockerfile })])
    assert.equal(status, 1, stderr)
    return stderr
  }

  test('a failed step shows its output, its line and its exit code', () => {
    const said = failed('FROM starter\nRUN echo before; exit 3\n')
    assert.match(said, /ERROR: process "\/bin\/sh -c echo before; exit 3" did not complete successfully: exit code: 3/)
    assert.match(said, / > \[2\/2\] RUN echo before; exit 3:\n.*before/)
    assert.match(said, /Dockerfile:2\n-+\n.*\n +2 \| >>> RUN echo before; exit 3\n/)
    assert.match(said, /failed to solve: process "/)
  })

  test('an unknown instruction shows its line', () => {
    const said = failed('FROM starter\nFOO bar\n')
    assert.match(said, / +2 \| >>> FOO bar\n/)
    assert.match(said, /failed to solve: dockerfile parse error on line 2: unknown instruction: FOO/)
  })

  test('a file that is not in the context shows the instruction that wants it', () => {
    const said = failed('FROM starter\nCOPY missing /\n')
    assert.match(said, / +2 \| >>> COPY missing \/\n/)
    assert.match(said, /"\/missing": not found/)
  })

  test('what the daemon does not allow is refused by name', () => {
    const said = failed('FROM starter\nRUN --security=insecure true\n', '--allow', 'security.insecure')
    assert.match(said, /granting entitlement security\.insecure is not allowed by build daemon configuration/)
  })

  test('an interrupt ends the build at once, its step too', async () => {
    const { engine, project } = buildx()
    const context = project({ Dockerfile: 'FROM starter\nRUN echo begun; sleep 1000\n' })
    const env = {
      ...process.env,
      DOCKER_HOST: `unix://${engine.socket}`,
      DOCKER_CONFIG: join(engine.directory, 'docker-config'),
      HOME: engine.directory,
    }
    const client = spawn('docker', ['buildx', 'build', '--progress', 'plain', context], { env, stdio: ['ignore', 'ignore', 'pipe'] })
    // From now on: a client that ends by a signal has no exit code, and may have ended before its output.
    const ended = once(client, 'exit')
    let said = ''
    let interrupted = false
    for await (const chunk of client.stderr.setEncoding('utf8')) {
      said += String(chunk)
      // Once: a third interrupt ends the client without its build, one after its end is nobody's.
      if (!interrupted && /\d begun/.test(said)) interrupted = client.kill('SIGINT')
    }
    await ended
    assert.match(said, /CANCELED|context canceled/)
    const sleeping = (): boolean => engine.host.processes().some(({ command }) => command.includes('sleep 1000'))
    await eventually(() => assert.equal(sleeping(), false))
  })
})
