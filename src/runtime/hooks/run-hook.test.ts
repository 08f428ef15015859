import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { HookSpec } from '#oci'
import { runHook } from './run-hook.ts'

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
  it('starts it through a program that is given its path and all arguments', async () => {
    const check = 'test "$1" = /bin/sh && test "$2" = named && test "$3" = -c && shift 2 && exec /bin/sh "$@"'
    await run('exit 0', {}, ['/bin/sh', '-c', check, 'sh'])
  })
})
