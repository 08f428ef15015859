/**
 * Every example of `test/dockerfiles`, built by a real daemon: its files, config and history against `result.json`.
 * `node test/integration/build-examples/examples.test.ts --update` writes them anew.
 */
import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { Engine, ROOT } from '../../harness/index.ts'
import { build, readBase, type Base, type Builder, type Result } from './built-example.ts'
import { readExamples } from './example.ts'
import { saveImage } from './save-image.ts'

describe('examples are built', { concurrency: 3 }, () => {
  let engine: Engine
  let builder: Builder
  let base: Base

  before(async () => {
    engine = await Engine.start()
    engine.loadStarter()
    engine.mustDocker('tag', 'starter', 'busybox')
    builder = {
      command: (tag) => ({
        program: join(ROOT, 'bin/gantry'),
        args: ['build', '--progress', 'plain', '-t', tag],
        env: { DOCKER_HOST: `unix://${engine.socket}`, DOCKER_CONFIG: join(engine.directory, 'docker-config') },
      }),
      save: (tag) => saveImage(engine.socket, tag),
    }
    base = await readBase(builder)
  })
  after(() => engine[Symbol.asyncDispose]())

  for (const example of readExamples()) {
    it(example.name, async () => {
      const result = await build(example, builder, base)
      if ('error' in result) {
        assert.ok(example.error !== undefined, result.error)
        assert.ok(result.error.includes(example.error), result.error)
        return
      }
      assert.equal(example.error, undefined, 'it should have failed')
      const golden = join(example.folder, 'result.json')
      if (process.argv.includes('--update')) writeFileSync(golden, `${JSON.stringify(result, null, 2)}\n`)
      assert.ok(existsSync(golden), `${golden} is missing`)
      assert.deepEqual(result, JSON.parse(readFileSync(golden, 'utf8')) as Result)
    })
  }
})
