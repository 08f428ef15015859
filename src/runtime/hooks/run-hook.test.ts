import assert from 'node:assert/strict'
import { existsSync, mkdtempDisposableSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import type { HookSpec } from '#oci'
import { runHook } from './run-hook.ts'

/** One that has ended and that nobody has waited for is not. */
function isAlive(pid: string): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

const run = (script: string, changes: Partial<HookSpec> = {}, through: readonly string[] = []): Promise<void> =>
  runHook({ path: '/bin/sh', args: ['named', '-c', script], ...changes }, '{"id":"x"}', { through, cwd: '/' })

describe('runHook', () => {
  it('gives a program its arguments, variables, directory and the state', async () => {
    await run('test "$0" = named && test "$A" = 1 && test "$(cat)" = \'{"id":"x"}\' && test "$PWD" = /', { env: ['A=1'] })
  })
  it('tells how it ended and what it said', async () => {
    await assert.rejects(run('echo out; echo err >&2; exit 3'), { message: 'exit status 3, stdout: out\n, stderr: err\n' })
    await assert.rejects(run('kill -TERM $$'), { message: /^signal: SIGTERM/ })
    await assert.rejects(run('', { path: '/no/such/hook' }), { code: 'ENOENT' })
  })
  it('ends one that takes too long', async () => {
    await assert.rejects(run('exec sleep 100', { timeout: 0.05 }), { message: 'hook ran past specified timeout of 0.1s' })
  })
  it('ends with it what it has started', async () => {
    using directory = mkdtempDisposableSync(join(tmpdir(), 'gantry-hook-'))
    const note = join(directory.path, 'pid')
    const script = `sleep 100 & echo $! > ${note}.new; mv ${note}.new ${note}; wait`
    // A machine that is busy may need longer to come to the note.
    for (let timeout = 0.2; !existsSync(note); timeout *= 2) await assert.rejects(run(script, { timeout }), { message: /^hook ran past/ })
    const pid = readFileSync(note, 'utf8').trim()
    while (isAlive(pid)) await setImmediate()
  })
  it('takes times for what they are that no timer has', async () => {
    await run('sleep 0.05', { timeout: 0xffff_ffff })
  })
  it('starts it through a program that is given its path and all arguments', async () => {
    const check = 'test "$1" = /bin/sh && test "$2" = named && test "$3" = -c && shift 2 && exec /bin/sh "$@"'
    await run('exit 0', {}, ['/bin/sh', '-c', check, 'sh'])
  })
})
