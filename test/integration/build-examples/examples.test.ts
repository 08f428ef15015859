/**
 * Every example of `test/dockerfiles`, built by a real daemon for buildx: files, config and history against `result.json`.
 * `node test/integration/build-examples/examples.test.ts --update` writes them anew.
 */
import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { after, before, describe, it } from 'node:test'
import { build } from './built-example.ts'
import { findBuildx, goldenOf, isRefused, openDoor, type Door } from './door.ts'
import { readExamples } from './example.ts'

const buildx = findBuildx()

describe('examples are built for buildx', { concurrency: 3, skip: 'missing' in buildx ? buildx.missing : false }, () => {
  let door: Door
  before(async () => {
    door = await openDoor('path' in buildx ? buildx.path : undefined)
  })
  after(() => door[Symbol.asyncDispose]())

  for (const example of readExamples()) {
    it(example.name, async () => {
      const result = await build(example, door.builder, door.base)
      if (isRefused(example, result)) return
      const golden = goldenOf(example)
      if (process.argv.includes('--update')) writeFileSync(golden, `${JSON.stringify(result, null, 2)}\n`)
      assert.ok(existsSync(golden), `${golden} is missing`)
      assert.deepEqual(result, JSON.parse(readFileSync(golden, 'utf8')))
    })
  }
})
