/**
 * Every example of `test/dockerfiles`, built by a real daemon through both of its doors: files, config and history against `result.json`.
 * `node test/integration/build-examples/examples.test.ts --update` writes them anew.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { Engine, ROOT } from '../../harness/index.ts'
import { build, readBase, type Base, type Builder, type Result } from './built-example.ts'
import { readExamples, type Example } from './example.ts'
import { saveImage } from './save-image.ts'

const buildx = spawnSync(join(ROOT, 'tools/buildx.sh'), ['trixie'], { encoding: 'utf8' })

describe('examples are built', () => {
  let engine: Engine

  before(async () => {
    engine = await Engine.start()
    engine.loadStarter()
    engine.mustDocker('tag', 'starter', 'busybox')
    const plugins = join(engine.directory, 'docker-config/cli-plugins')
    mkdirSync(plugins, { recursive: true })
    if (buildx.status === 0) symlinkSync(buildx.stdout.trim(), join(plugins, 'docker-buildx'))
  })
  after(() => engine[Symbol.asyncDispose]())

  /** The docker CLI through one of the doors. */
  function builderOf(door: 'buildkit' | 'classic'): Builder {
    const env = { DOCKER_HOST: `unix://${engine.socket}`, DOCKER_CONFIG: join(engine.directory, 'docker-config') }
    return {
      command: (tag) => ({
        program: 'docker',
        args: ['build', ...(door === 'buildkit' ? ['--progress', 'plain'] : []), '-t', `${door}/${tag}`],
        env: { ...env, DOCKER_BUILDKIT: door === 'buildkit' ? '1' : '0' },
      }),
      save: (tag) => saveImage(engine.socket, tag === 'busybox' ? tag : `${door}/${tag}`),
    }
  }

  describe('by buildx', { concurrency: 3, skip: buildx.status === 0 ? false : buildx.stderr }, () => {
    let builder: Builder
    let base: Base
    before(async () => {
      builder = builderOf('buildkit')
      base = await readBase(builder)
    })

    for (const example of readExamples()) {
      it(example.name, async () => {
        const result = await build(example, builder, base)
        if (checkError(example, result)) return
        const golden = goldenOf(example)
        if (process.argv.includes('--update')) writeFileSync(golden, `${JSON.stringify(result, null, 2)}\n`)
        assert.ok(existsSync(golden), `${golden} is missing`)
        assert.deepEqual(result, JSON.parse(readFileSync(golden, 'utf8')))
      })
    }
  })

  describe('by the classic builder of the docker CLI', { concurrency: 3 }, () => {
    let builder: Builder
    let base: Base
    before(async () => {
      builder = builderOf('classic')
      base = await readBase(builder)
    })

    // What the CLI itself cannot do without BuildKit.
    for (const example of readExamples().filter(({ args }) => !/--secret|--build-context/.test(args.join(' ')))) {
      it(example.name, async () => {
        const result = await build(example, builder, base)
        if (checkError(example, result)) return
        assert.ok('files' in result)
        const golden = JSON.parse(readFileSync(goldenOf(example), 'utf8')) as Exclude<Result, { error: string }>
        // The history is told in the classic builder's words, and it has more lines.
        assert.deepEqual(result.config, golden.config)
        // This CLI knows no ignore file of the Dockerfile's own, and leaves out what the other one says.
        if (!example.name.endsWith('ignore-own-file')) assert.deepEqual(result.files, golden.files)
      })
    }
  })
})

/** Whether the example is one that fails, as it should. Of a step the classic door says the code in other words. */
function checkError(example: Example, result: Result): boolean {
  if (!('error' in result)) {
    assert.equal(example.error, undefined, 'it should have failed')
    return false
  }
  const text = result.error.replaceAll('returned a non-zero code:', 'exit code:')
  assert.ok(example.error !== undefined && text.includes(example.error), result.error)
  return true
}

function goldenOf(example: Example): string {
  return join(example.folder, 'result.json')
}
