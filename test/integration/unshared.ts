import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'

const INSIDE = 'GANTRY_TEST_UNSHARED'
const FIRST_ERROR = join(import.meta.dirname, '../harness/first-error.ts')

/**
 * Runs the tests that `define` declares inside a mount and a network namespace of their own, by running `file` once more under
 * `unshare -m -n`: mounts, links and firewall rules of the machine stay as they are, and whatever a test forgets dies with the namespaces.
 * Without root the file is skipped, and says so.
 */
export function unshared(file: string, define: () => void): void {
  if (process.env[INSIDE] !== undefined) return define()
  if (process.getuid?.() !== 0) return void test('needs root', { skip: 'needs root' }, () => {})
  test('in namespaces of its own', () => {
    const { NODE_TEST_CONTEXT: _, ...env } = process.env // else the inner run would speak the runner's binary protocol
    // A test that failed may have left something that keeps the process up: it must end all the same, and say what failed.
    const node = ['--disable-warning=ExperimentalWarning', '--import', FIRST_ERROR, '--test-reporter=spec', '--test-force-exit']
    const inner = spawnSync('unshare', ['-m', '-n', process.execPath, ...node, file], {
      env: { ...env, [INSIDE]: '1' },
      encoding: 'utf8',
      timeout: 280_000,
    })
    const late = inner.error === undefined ? '' : `${inner.error.message}: what was running last hangs\n`
    assert.equal(inner.status, 0, `\n${late}${inner.stdout}${inner.stderr}`)
    process.stdout.write(inner.stdout.replaceAll(/^/gm, '# '))
  })
}
