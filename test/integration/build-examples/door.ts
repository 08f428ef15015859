import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { Engine, ROOT } from '../../harness/index.ts'
import { readBase, type Base, type Builder, type Failure, type Image } from './built-example.ts'
import type { Example } from './example.ts'
import { saveImage } from './save-image.ts'

/** A daemon that has `busybox`, and the docker CLI as a client of one of its doors. Disposing checks for leaks. */
export interface Door extends AsyncDisposable {
  readonly builder: Builder
  readonly base: Base
}

/** Path of docker's plugin, or why it is not there. */
export function findBuildx(): { path: string } | { missing: string } {
  const { status, stdout, stderr } = spawnSync(join(ROOT, 'tools/buildx.sh'), ['trixie'], { encoding: 'utf8' })
  return status === 0 ? { path: stdout.trim() } : { missing: stderr }
}

/** `buildx`: through BuildKit's door; undefined: through the classic one. */
export async function openDoor(buildx: string | undefined): Promise<Door> {
  await using undo = new AsyncDisposableStack()
  const engine = undo.use(await Engine.start())
  engine.loadStarter()
  engine.mustDocker('tag', 'starter', 'busybox')
  const config = join(engine.directory, 'docker-config')
  const plugins = join(config, 'cli-plugins')
  mkdirSync(plugins, { recursive: true })
  if (buildx !== undefined) symlinkSync(buildx, join(plugins, 'docker-buildx'))
  const builder: Builder = {
    command: (tag) => ({
      program: 'docker',
      args: ['build', ...(buildx === undefined ? [] : ['--progress', 'plain']), '-t', tag],
      env: { DOCKER_HOST: `unix://${engine.socket}`, DOCKER_CONFIG: config, DOCKER_BUILDKIT: buildx === undefined ? '0' : '1' },
    }),
    save: (tag) => saveImage(engine.socket, tag),
  }
  const base = await readBase(builder)
  const owned = undo.move()
  return { builder, base, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

/** Whether the example is one that fails, as it should. Of a step the classic door says the code in other words. */
export function isRefused(example: Example, result: Failure | Image): result is Failure {
  if (!('error' in result)) {
    assert.equal(example.error, undefined, 'it should have failed')
    return false
  }
  const text = result.error.replaceAll('returned a non-zero code:', 'exit code:')
  assert.ok(example.error !== undefined && text.includes(example.error), result.error)
  return true
}

export function goldenOf(example: Example): string {
  return join(example.folder, 'result.json')
}
