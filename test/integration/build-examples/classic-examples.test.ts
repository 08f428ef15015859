/** Every example of `test/dockerfiles`, built by a real daemon for the docker CLI without BuildKit: the same files and config as through the other door. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, describe, it } from 'node:test'
import { build, type Image } from './built-example.ts'
import { goldenOf, isRefused, openDoor, type Door } from './door.ts'
import { readExamples } from './example.ts'

describe('examples are built through the classic door', { concurrency: 3 }, () => {
  let door: Door
  before(async () => {
    door = await openDoor(undefined)
  })
  after(() => door[Symbol.asyncDispose]())

  // The others need what this client does not have.
  for (const example of readExamples().filter(({ args }) => !/--secret|--build-context/.test(args.join(' ')))) {
    it(example.name, async () => {
      const result = await build(example, door.builder, door.base)
      if (isRefused(example, result)) return
      const golden = JSON.parse(readFileSync(goldenOf(example), 'utf8')) as Image
      // The history is told in the classic builder's words, and it has more lines.
      assert.deepEqual(result.config, golden.config)
      // This client knows no ignore file of the Dockerfile's own, and leaves out what the other one says.
      if (!example.name.endsWith('ignore-own-file')) assert.deepEqual(result.files, golden.files)
    })
  }
})
